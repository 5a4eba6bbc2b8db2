// The bytes of a batch's hash, as docs/ledger.md describes them: put together here one at a time, without
// gathering any.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"
#include "ledger/chain.h"
#include <stdlib.h>
#include <string.h>

static void number(struct digest_state *state, int64_t value)
{
    // −2n − 1 for the smallest number is the largest that 64 bits hold.
    uint64_t rest = value >= 0 ? (uint64_t)value * 2 : (uint64_t)(-(value + 1)) * 2 + 1;
    do {
        uint8_t byte = (uint8_t)(rest % 128 + (rest >= 128 ? 128 : 0));
        digest_add(state, &byte, 1);
        rest /= 128;
    } while (rest > 0);
}

static void text_of(struct digest_state *state, const char *text, size_t length)
{
    number(state, (int64_t)length);
    for (size_t i = 0; i < length; i++)
        digest_add(state, text + i, 1);
}

static void text(struct digest_state *state, const char *text)
{
    if (text == NULL)
        number(state, -1);
    else
        text_of(state, text, strlen(text));
}

static void event(struct digest_state *state, const struct event_row *row)
{
    text(state, "event");
    number(state, row->seq);
    number(state, row->at.seconds);
    text(state, row->type);
    text(state, row->actor);
    number(state, row->tenant);
    number(state, row->reservation);
    text_of(state, row->data, row->data_length);
}

static void transfer(struct digest_state *state, const struct transfer_row *row)
{
    text(state, "transfer");
    number(state, row->id);
    number(state, row->at.seconds);
    text(state, "book");
    number(state, row->debit_account);
    number(state, row->credit_account);
    number(state, row->amount.micro);
    number(state, row->period);
    number(state, row->reservation);
    number(state, row->event);
}

static void client_ref(struct digest_state *state, const struct client_ref_row *row)
{
    text(state, "client_ref");
    number(state, row->scope);
    text(state, row->client_ref);
    text(state, row->method);
    for (int i = 0; i < 16; i++) {
        uint64_t half = i < 8 ? row->request.high : row->request.low;
        uint8_t byte = (uint8_t)(half >> (56 - 8 * (i % 8)));
        digest_add(state, &byte, 1);
    }
    number(state, row->thing);
    number(state, row->is_group);
    number(state, row->event);
}

static void assert_hashed_as_described(const struct batch *batch)
{
    struct digest before = {{1, 2, 3}};
    struct digest_state state;
    digest_begin(&state);
    digest_add(&state, before.bytes, DIGEST_SIZE);
    number(&state, batch->seq);
    number(&state, batch->epoch);
    text(&state, "a writer");
    number(&state, batch->at.seconds);
    for (size_t i = 0; i < batch->row_count; i++)
        if (batch->rows[i].kind == ROW_EVENT)
            event(&state, &batch->rows[i].event);
    for (size_t i = 0; i < batch->row_count; i++)
        if (batch->rows[i].kind == ROW_TRANSFER)
            transfer(&state, &batch->rows[i].transfer);
    for (size_t i = 0; i < batch->row_count; i++)
        if (batch->rows[i].kind == ROW_CLIENT_REF)
            client_ref(&state, &batch->rows[i].client_ref);
    struct digest expected = digest_end(&state), hash = chain_hash(batch, "a writer", &before);
    assert_true(digest_equal(&hash, &expected));
}

static void every_size_of_number_is_hashed_as_described(void **state)
{
    (void)state;
    static const int64_t numbers[] = {
        0,   1,   -1,  63,        64,         -64,           -65,           8191,      8192,     -8192,
        127, 128, 300, INT32_MAX, UINT32_MAX, INT64_MAX / 2, INT64_MIN / 2, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int64_t value = numbers[i];
        struct row rows[] = {
            {.kind = ROW_CLIENT_REF,
             .client_ref = {.scope = (uint32_t)value,
                            .client_ref = "r",
                            .method = "m",
                            .request = {.high = UINT64_C(0x0123456789abcdef), .low = (uint64_t)value},
                            .thing = value,
                            .is_group = true}},
            {.kind = ROW_ACCOUNT, .account = {.id = 7}}, // which is no part of it
            {.kind = ROW_TRANSFER,
             .transfer = {.id = value,
                          .at = {value},
                          .kind = TRANSFER_BOOK,
                          .amount = {value},
                          .period = (uint32_t)value,
                          .reservation = value}},
            {.kind = ROW_EVENT,
             .event = {.seq = value, .at = {value / -2}, .type = "a.thing", .data = "", .data_length = 0}},
        };
        struct batch batch = {.seq = value, .epoch = 1, .at = {value}, .rows = rows, .row_count = 4};
        assert_hashed_as_described(&batch);
    }
}

// Texts of all lengths, so that what is gathered is full at every place of a row.
static void every_length_of_text_is_hashed_as_described(void **state)
{
    (void)state;
    enum { LONGEST = 9000 };
    char *data = calloc(1, LONGEST + 1);
    for (int i = 0; i < LONGEST; i++)
        data[i] = (char)('a' + i % 26);
    for (size_t length = 0; length <= LONGEST; length += length >= 3800 && length < 4200 ? 1 : 97) {
        struct row rows[6];
        for (size_t i = 0; i < 6; i++)
            rows[i] = (struct row){.kind = ROW_EVENT,
                                   .event = {.seq = (int64_t)i + 1,
                                             .at = {1767225600},
                                             .type = "reservation.booked",
                                             .actor = i % 2 == 0 ? "uid:0" : NULL,
                                             .tenant = 64,
                                             .reservation = INT64_C(1) << (i * 12),
                                             .data = data,
                                             .data_length = i % 3 == 0 ? length : 100 + i}};
        struct batch batch = {.seq = 9, .epoch = 1, .at = {1767225600}, .rows = rows, .row_count = 6};
        assert_hashed_as_described(&batch);
    }
    free(data);
}

int main(void)
{
    if (!digest_initialise())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_of_number_is_hashed_as_described),
        cmocka_unit_test(every_length_of_text_is_hashed_as_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
