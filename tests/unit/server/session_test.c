#include "server/session.h"

#include "base/digest.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ACME       1U
#define OTHER      2U
#define ACME_UID   61001U
#define LEADER_UID 61009U

static struct book *book;
static char acme_token[TOKEN_TEXT_SIZE], operator_token[TOKEN_TEXT_SIZE];
static struct token_row acme_row, operator_row;

static void apply(struct row row)
{
    book_apply(book, &row);
}

static void apply_uid(uint32_t uid, uint32_t tenant, bool revoked)
{
    apply((struct row){.kind = ROW_UID, .uid = {.uid = uid, .tenant = tenant, .revoked = revoked}});
}

static void apply_token(struct token_row token)
{
    apply((struct row){.kind = ROW_TOKEN, .token = token});
}

static int set_up(void **state)
{
    (void)state;
    struct book_options options = {.horizon_years = 10, .hold_seconds_max = 3600};
    assert_true(digest_initialise());
    book = book_create(&options);
    apply((struct row){.kind = ROW_TENANT, .tenant = {.id = ACME, .tenant = "acme", .name = "Acme"}});
    apply((struct row){.kind = ROW_TENANT, .tenant = {.id = OTHER, .tenant = "other", .name = "Other"}});
    apply_uid(ACME_UID, ACME, false);
    apply_uid(LEADER_UID, 0, false);
    acme_row = (struct token_row){.label = "gateway", .tenant = ACME};
    operator_row = (struct token_row){.label = "console", .tenant = 0};
    token_make(acme_token, &acme_row.salt, &acme_row.hash);
    token_make(operator_token, &operator_row.salt, &operator_row.hash);
    apply_token(acme_row);
    apply_token(operator_row);
    book_loaded(book, (struct instant){0}, 0, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    book_destroy(book);
    return 0;
}

static struct session session_of(uint32_t uid)
{
    struct session session;
    session_begin(&session, uid);
    session_resolve(&session, book);
    return session;
}

static void test_uids(void **state)
{
    (void)state;
    struct session tenant = session_of(ACME_UID), leader = session_of(LEADER_UID), nobody = session_of(61999),
                   root = session_of(0), owner = session_of((uint32_t)geteuid());
    assert_int_equal(tenant.role, ROLE_TENANT);
    assert_int_equal(tenant.tenant, ACME);
    assert_string_equal(session_actor(&tenant).name, "uid:61001");
    assert_int_equal(leader.role, ROLE_OPERATOR);
    assert_int_equal(nobody.role, ROLE_ANONYMOUS);
    assert_int_equal(root.role, ROLE_OPERATOR);
    assert_int_equal(owner.role, ROLE_OPERATOR);
}

static void test_revoked_uid(void **state)
{
    (void)state;
    struct session tenant = session_of(ACME_UID), nobody = session_of(61002);
    apply_uid(61002, OTHER, false);
    assert_int_equal(session_resolve(&nobody, book), SESSION_GAINED);
    assert_int_equal(nobody.tenant, OTHER);
    assert_int_equal(session_resolve(&tenant, book), SESSION_SAME);
    apply_uid(ACME_UID, ACME, true);
    assert_int_equal(session_resolve(&tenant, book), SESSION_LOST);
    // One that has become another tenant's has lost what it was, too.
    apply_uid(ACME_UID, OTHER, false);
    assert_int_equal(session_resolve(&tenant, book), SESSION_LOST);
}

static void test_tokens(void **state)
{
    (void)state;
    assert_int_equal(strlen(acme_token), TOKEN_TEXT_SIZE - 1);
    assert_memory_equal(acme_token, "clss_", 5);
    assert_string_not_equal(acme_token, operator_token);
    assert_string_equal(token_find(book, acme_token)->label, "gateway");
    assert_string_equal(token_find(book, operator_token)->label, "console");
    assert_null(token_find(book, ""));
    acme_token[TOKEN_TEXT_SIZE - 2] ^= 1;
    assert_null(token_find(book, acme_token));
}

static void test_login(void **state)
{
    (void)state;
    struct session session = session_of(61999);
    assert_false(session_login(&session, book, "clss_wrong"));
    assert_int_equal(session.wrong_tokens, 1);
    assert_int_equal(session.role, ROLE_ANONYMOUS);
    assert_true(session_login(&session, book, acme_token));
    assert_int_equal(session.role, ROLE_TENANT);
    assert_int_equal(session.tenant, ACME);
    assert_string_equal(session_actor(&session).name, "token:gateway");
    assert_true(session_login(&session, book, operator_token));
    assert_int_equal(session.role, ROLE_OPERATOR);
    assert_int_equal(session_resolve(&session, book), SESSION_SAME);
    operator_row.revoked = true;
    apply_token(operator_row);
    assert_int_equal(session_resolve(&session, book), SESSION_LOST);
    assert_null(token_find(book, operator_token));
    session_end(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_uids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_revoked_uid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_login, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
