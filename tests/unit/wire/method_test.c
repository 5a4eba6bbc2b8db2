// The method table against itself, and against the schema files that clients read.
#include "wire_fixture.h"

#include "wire/parameter.h"

static void every_method_is_at_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        assert_int_equal(method_table[i].method, i);
        assert_non_null(method_table[i].name);
        assert_ptr_equal(method_by_name(method_table[i].name), &method_table[i]);
    }
    assert_null(method_by_name("pool.lis"));
    assert_null(method_by_name("pool.list "));
    assert_null(method_by_name(""));
}

static void what_is_required_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < METHOD_COUNT; i++)
        assert_int_equal(method_table[i].requires_all & ~method_table[i].takes, 0);
}

static void what_changes_takes_client_ref_and_dry_run(void **state)
{
    (void)state;
    uint64_t dry_run = PARAMETER_BIT(PARAMETER_DRY_RUN), client_ref = PARAMETER_BIT(PARAMETER_CLIENT_REF);
    for (size_t i = 0; i < METHOD_COUNT; i++) {
        const struct method_row *row = &method_table[i];
        assert_int_equal((row->takes & dry_run) != 0, row->changes);
        if (row->changes)
            assert_true((row->takes & client_ref) != 0);
        if (row->access == ACCESS_TENANT)
            assert_true((row->takes & PARAMETER_BIT(PARAMETER_TENANT)) != 0);
    }
}

static void every_parameter_is_found_by_its_name(void **state)
{
    (void)state;
    for (enum parameter parameter = 0; parameter < PARAMETER_COUNT; parameter++) {
        enum parameter found = PARAMETER_COUNT;
        assert_true(parameter_by_name(parameter_name(parameter), &found));
        assert_int_equal(found, parameter);
    }
    enum parameter found;
    assert_false(parameter_by_name("", &found));
    assert_false(parameter_by_name("gp", &found));
    assert_false(parameter_by_name("zzz", &found));
}

static json_t *schema_of(const char *name)
{
    char path[128];
    size_t length;
    snprintf(path, sizeof path, "schema/methods/%s.json", name);
    char *text = read_file(path, &length);
    json_error_t error;
    json_t *schema = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (schema == NULL)
        fail_msg("%s: %s", path, error.text);
    free(text);
    return schema;
}

static const char *access_name(enum access access)
{
    static const char *const names[] = {"anyone", "tenant", "operator"};
    return names[access];
}

static void compare_with_schema(const struct method_row *row)
{
    json_t *schema = schema_of(row->name);
    assert_text_at(schema, "name", row->name);
    assert_text_at(schema, "role", access_name(row->access));
    assert_int_equal(json_is_true(value_at(schema, "changes")), row->changes);
    uint64_t takes = 0, requires_all = 0;
    size_t index;
    json_t *param;
    json_array_foreach(value_at(schema, "params"), index, param)
    {
        enum parameter parameter;
        const char *name = json_string_value(json_object_get(param, "name"));
        if (!parameter_by_name(name, &parameter))
            fail_msg("%s: there is no parameter %s", row->name, name);
        takes |= PARAMETER_BIT(parameter);
        if (json_is_true(json_object_get(param, "required")))
            requires_all |= PARAMETER_BIT(parameter);
    }
    if (takes != row->takes || requires_all != row->requires_all)
        fail_msg("%s: its schema file has other parameters", row->name);
    json_decref(schema);
}

static void the_schema_files_say_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < METHOD_COUNT; i++)
        compare_with_schema(&method_table[i]);
}

static void a_leg_in_the_schema_is_as_it_is_read(void **state)
{
    (void)state;
    json_t *schema = schema_of("reservation.create_group");
    json_t *leg = value_at(schema, "params.0.schema.items");
    uint64_t takes = 0, requires_all = 0;
    enum parameter parameter;
    const char *name;
    json_t *member;
    json_object_foreach(value_at(leg, "properties"), name, member)
    {
        assert_true(parameter_by_name(name, &parameter));
        takes |= PARAMETER_BIT(parameter);
    }
    size_t index;
    json_array_foreach(value_at(leg, "required"), index, member)
    {
        assert_true(parameter_by_name(json_string_value(member), &parameter));
        requires_all |= PARAMETER_BIT(parameter);
    }
    assert_int_equal(takes, leg_takes);
    assert_int_equal(requires_all, leg_requires);
    json_decref(schema);
}

static void the_kinds_of_error_are_those_of_the_schema(void **state)
{
    (void)state;
    size_t length;
    char *text = read_file("schema/errors.json", &length);
    json_t *root = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    json_t *list = value_at(root, "errors");
    assert_int_equal(json_array_size(list), 22);
    size_t index;
    json_t *error;
    json_array_foreach(list, index, error)
    {
        int code = (int)json_integer_value(json_object_get(error, "code"));
        assert_text_at(error, "kind", rpc_error_kind(code));
    }
    json_decref(root);
    assert_string_equal(rpc_error_kind(1), "internal_error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_is_at_its_place),
        cmocka_unit_test(what_is_required_is_taken),
        cmocka_unit_test(what_changes_takes_client_ref_and_dry_run),
        cmocka_unit_test(every_parameter_is_found_by_its_name),
        cmocka_unit_test(the_schema_files_say_the_same),
        cmocka_unit_test(a_leg_in_the_schema_is_as_it_is_read),
        cmocka_unit_test(the_kinds_of_error_are_those_of_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
