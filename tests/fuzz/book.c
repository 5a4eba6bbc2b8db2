// Fuzzing the book: any bytes as a sequence of requests and steps of time.
//
// A byte says what comes next and those that follow say with what; the tables below turn bytes into hours,
// GPUs and names near the edges of the world. After each decision a dry run must have told the same, a
// refusal must have no rows, its way out must be one, and a request sent again must be known. ledger.h says
// what holds after every batch. At the end the book is made again from the rows of what was done alone, and
// must be the same: so what was refused, or only rehearsed, has left nothing.
#include "fuzz.h"
#include "ledger.h"
#include <string.h>

#define STEPS_MAX 80
#define TEXT_SIZE 24

struct input {
    const uint8_t *at, *end;
    struct capacity_change_request outage; // the last one without an end that was asked for
};

// A request and what it points at.
struct asked {
    struct request request;
    struct leg legs[3];
    char client_ref[TEXT_SIZE], label[TEXT_SIZE];
    struct manifest manifest;
    struct manifest_site site;
    struct manifest_pool pool;
    struct manifest_step step;
    struct manifest_rate rate;
    struct manifest_contract contract;
};

static uint8_t take(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

#define TAKE_FROM(input, table) ((table)[take(input) % (sizeof(table) / sizeof(table)[0])])

static const char *const pools[] = {"colossus-1/h100", "colossus-2/gb300", "colossus-1/h200",
                                    "colossus-1/h100", "colossus-2/gb300", "colossus-1/b200"};
static const char *const tenants[] = {"anthropic", "google", "xai", "gamma", "anthropic", "nobody"};
static const int32_t units[] = {8, 72, 1, 8, 72, 1};

// ---- What is asked

static struct hour take_hour(struct input *input, const struct ledger *ledger)
{
    static const int32_t ahead[] = {0,   1,   2,   5,   24,  47,  71,   72,   100,  119,  167,  168,
                                    173, 216, 400, 456, 720, 744, 1000, 1824, 2904, 8000, 8759, 8784};
    int32_t hour = hour_of_instant(ledger->now).number + TAKE_FROM(input, ahead);
    uint8_t nudge = take(input);
    return (struct hour){nudge < 16 ? hour - 8 + nudge : hour};
}

static int64_t take_gpus(struct input *input, int32_t unit)
{
    uint8_t byte = take(input);
    return byte == 255 ? 1000000 : byte == 254 ? unit + 1 : (byte % 24) * (int64_t)unit;
}

static void take_actor(struct input *input, struct request *request)
{
    uint8_t byte = take(input);
    request->tenant = tenants[byte % 6];
    request->actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
    if (byte >= 128) {
        request->actor = (struct actor){.role = ROLE_TENANT, .tenant = 1 + byte % 4U, .name = "uid:61001"};
        request->tenant = byte >= 192 ? NULL : request->tenant;
    }
}

static void take_reference(struct input *input, struct asked *asked)
{
    uint8_t byte = take(input);
    asked->request.dry_run = byte >= 240;
    if (byte % 4 != 0)
        return;
    memcpy(asked->client_ref, "ref-a", 6);
    asked->client_ref[4] = (char)('a' + byte / 4 % 16);
    asked->request.client_ref = asked->client_ref;
}

static void take_leg(struct input *input, const struct ledger *ledger, struct leg *leg)
{
    static const int32_t lengths[] = {1, 2, 5, 24, 25, 48, 100, 168, 720, 2000, 8784, 0};
    uint8_t byte = take(input), pool = byte % 6;
    *leg = (struct leg){.pool = pools[pool], .start = take_hour(input, ledger)};
    leg->tier = byte >= 128 ? TIER_PREEMPTIBLE : TIER_FIRM;
    leg->gpus = take_gpus(input, units[pool]);
    leg->end.number = leg->start.number + TAKE_FROM(input, lengths);
    leg->project = leg->gpus % 3 == 0 ? "project" : NULL;
}

static void take_create(struct input *input, const struct ledger *ledger, struct asked *asked, size_t legs)
{
    static const int64_t holds[] = {0, 0, 1, 600, 3600, 86400, 7 * 86400, 7 * 86400 + 1};
    struct create_request *create = &asked->request.create;
    asked->request.kind = legs == 1 ? REQUEST_CREATE : REQUEST_CREATE_GROUP;
    *create = (struct create_request){.legs = asked->legs, .leg_count = legs};
    for (size_t i = 0; i < legs; i++)
        take_leg(input, ledger, &asked->legs[i]);
    uint8_t byte = take(input);
    create->hold_seconds = holds[byte % 8];
    create->has_wait_until = legs == 1 && byte >= 128;
    create->wait_until.seconds = ledger->now.seconds + (int64_t)(byte - 120) * 30000;
}

static struct target take_target(struct input *input)
{
    uint8_t byte = take(input);
    return (struct target){.is_group = byte >= 200, .id = byte % 40};
}

static void take_change(struct input *input, const struct ledger *ledger, struct asked *asked)
{
    struct change_request *change = &asked->request.change;
    asked->request.kind = REQUEST_CHANGE;
    *change = (struct change_request){.id = take(input) % 40};
    uint8_t members = take(input);
    change->has_from = members & 1;
    change->has_gpus = members & 2;
    change->has_start = members & 4;
    change->has_end = members & 8;
    change->from = change->has_from ? take_hour(input, ledger) : change->from;
    change->gpus = change->has_gpus ? take_gpus(input, 8) : 0;
    change->start = change->has_start ? take_hour(input, ledger) : change->start;
    change->end = change->has_end ? take_hour(input, ledger) : change->end;
}

static void take_cancel(struct input *input, struct asked *asked)
{
    asked->request.kind = REQUEST_CANCEL;
    asked->request.cancel = (struct cancel_request){.target = take_target(input)};
    asked->request.cancel.waive_fee = take(input) % 4 == 0;
}

static void take_capacity(struct input *input, const struct ledger *ledger, struct asked *asked)
{
    uint8_t pool = take(input) % 6, kind = take(input);
    struct capacity_change_request *capacity = &asked->request.capacity;
    asked->request.kind = REQUEST_CAPACITY_CHANGE;
    *capacity = (struct capacity_change_request){
        .pool = pools[pool], .kind = (enum capacity_kind)(kind % 6), .start = take_hour(input, ledger)};
    capacity->gpus = take_gpus(input, units[pool]);
    capacity->end = take_hour(input, ledger);
    if (capacity->end.number <= capacity->start.number)
        capacity->end = HOUR_NEVER;
    if (kind >= 128 && input->outage.pool != NULL) { // closes it
        input->outage.end = capacity->end;
        *capacity = input->outage;
        input->outage.pool = NULL;
    } else if (kind >= 96) {
        capacity->kind = CAPACITY_OUTAGE;
        capacity->end = HOUR_NEVER;
        input->outage = *capacity;
    }
}

static void take_token(struct input *input, struct asked *asked)
{
    uint8_t byte = take(input);
    asked->request.kind = byte % 2 == 0 ? REQUEST_TOKEN_CREATE : REQUEST_TOKEN_REVOKE;
    memcpy(asked->label, "label-a", 8);
    asked->label[6] = (char)('a' + byte / 2 % 4);
    asked->request.token = (struct token_request){.label = asked->label, .is_operator = byte >= 200};
    if (asked->request.token.is_operator)
        asked->request.tenant = NULL;
}

// ---- Manifests

static void take_pool(struct input *input, const struct ledger *ledger, struct asked *asked, bool is_rate)
{
    uint8_t pool = take(input) % 3;
    asked->pool = world_manifest()->pools[pool];
    asked->pool.capacity_count = asked->pool.rate_count = asked->pool.change_count = 0;
    if (is_rate) {
        asked->rate = (struct manifest_rate){.from = take_hour(input, ledger), .has = {true}};
        asked->rate.price[TIER_FIRM].micro = take(input) * INT64_C(10007);
        asked->pool.rates = &asked->rate;
        asked->pool.rate_count = 1;
    } else {
        asked->step.from = take_hour(input, ledger);
        asked->step.value = (int64_t)(take(input) % 16) * asked->pool.unit;
        asked->pool.capacity = &asked->step;
        asked->pool.capacity_count = 1;
    }
    asked->manifest = (struct manifest){.pools = &asked->pool, .pool_count = 1};
}

// One of the world's contracts with other terms or, with another name, in another time.
static void take_contract(struct input *input, const struct ledger *ledger, struct asked *asked, bool is_new)
{
    struct manifest_contract *contract = &asked->contract;
    *contract = world_manifest()->contracts[take(input) % world_manifest()->contract_count];
    struct contract_terms_row *terms = &contract->terms;
    if (is_new) {
        memcpy(asked->label, "extra-a", 8);
        asked->label[6] = (char)('a' + take(input) % 4);
        contract->contract = asked->label;
        contract->tenant = tenants[take(input) % 4];
        contract->start = take_hour(input, ledger);
        contract->end.number = contract->start.number + 1 + take(input) * 97;
        contract->period_count = 0;
        terms->annual = true;
        terms->annual_commit.micro = take(input) * INT64_C(123456789);
    }
    uint8_t members = take(input);
    if (members & 1)
        terms->surcharge_bp = take(input) * 39;
    if (members & 2)
        terms->defer_bp = take(input) * 39;
    if (members & 4)
        terms->cancel_notice_hours = take(input);
    if (members & 8)
        terms->late_fee_bp = take(input) * 39;
    if (members & 16)
        terms->discount_bp = take(input) * 39;
    if (members & 32)
        terms->then = (enum shortfall_rest)(take(input) % 3);
    if (members & 64)
        terms->overage_kind = (enum overage_limit_kind)(take(input) % 4);
    if (members & 128)
        terms->billing = (enum billing)(take(input) % 2);
    asked->manifest = (struct manifest){.contracts = contract, .contract_count = 1};
}

// What the first site has, or what a GPU of one of its pools draws.
static void take_power(struct input *input, const struct ledger *ledger, struct asked *asked)
{
    uint8_t kilowatts = take(input);
    if (kilowatts % 2 == 0) {
        asked->step =
            (struct manifest_step){.from = take_hour(input, ledger), .value = kilowatts * INT64_C(1000)};
        asked->site = (struct manifest_site){
            .site = world_manifest()->sites[0].site, .power = &asked->step, .power_count = 1};
        asked->manifest = (struct manifest){.sites = &asked->site, .site_count = 1};
    } else {
        asked->pool = world_manifest()->pools[kilowatts % 3];
        asked->pool.capacity_count = asked->pool.rate_count = asked->pool.change_count = 0;
        asked->pool.watts_per_gpu = kilowatts * INT64_C(13);
        asked->manifest = (struct manifest){.pools = &asked->pool, .pool_count = 1};
    }
}

static void take_manifest(struct input *input, const struct ledger *ledger, struct asked *asked)
{
    uint8_t byte = take(input), choice = byte % 4;
    if (byte >= 192)
        take_power(input, ledger, asked);
    else if (choice < 2)
        take_pool(input, ledger, asked, choice == 0);
    else
        take_contract(input, ledger, asked, choice == 2);
    asked->request.kind = REQUEST_MANIFEST_APPLY;
    asked->request.manifest = &asked->manifest;
}

static void take_request(struct input *input, const struct ledger *ledger, uint8_t kind, struct asked *asked)
{
    memset(asked, 0, sizeof *asked);
    take_actor(input, &asked->request);
    take_reference(input, asked);
    if (kind <= 4) {
        take_create(input, ledger, asked, kind == 4 ? 2 + take(input) % 2U : 1);
    } else if (kind == 5) {
        asked->request.kind = REQUEST_CONFIRM;
        asked->request.confirm = take_target(input);
    } else if (kind <= 8) {
        take_change(input, ledger, asked);
    } else if (kind == 9) {
        take_cancel(input, asked);
    } else {
        asked->request.actor = (struct actor){.role = ROLE_OPERATOR, .name = "uid:0"};
        if (kind == 10) {
            take_capacity(input, ledger, asked);
        } else if (kind == 11) {
            take_manifest(input, ledger, asked);
        } else if (take(input) % 2 == 0) {
            take_token(input, asked);
        } else {
            asked->request.kind = take(input) % 3 == 0 ? REQUEST_TENANT_SUSPEND : REQUEST_TENANT_RESUME;
            asked->request.reason = "why";
        }
    }
}

// ---- What comes back

static void describe(const struct decision *decision, struct buffer *text)
{
    const struct refusal *refusal = &decision->refusal;
    buffer_append_format(text, "%d, %zu rows, %zu outcomes, group %lld", (int)decision->verdict,
                         decision->row_count, decision->outcome_count, (long long)decision->group);
    if (decision->verdict != VERDICT_DONE)
        buffer_append_format(text, " leg %d: %s", refusal->leg, refusal->message);
    if (decision->result != NULL)
        buffer_append(text, decision->result, decision->result_length);
    for (size_t i = 0; i < decision->row_count; i++) {
        const struct row *row = &decision->rows[i];
        if (row->kind == ROW_EVENT)
            buffer_append_format(text, "\n%s %s", row->event.type, row->event.data);
        else if (row->kind == ROW_TRANSFER)
            buffer_append_format(text, "\n%s %lld", transfer_kind_name(row->transfer.kind),
                                 (long long)row->transfer.amount.micro);
        else
            buffer_append_format(text, "\nkind %d", (int)row->kind);
    }
}

static void decide(struct ledger *ledger, const struct request *request, struct decision *decision)
{
    book_decide(ledger->book, request, ledger->now, &ledger->arena, decision);
    if (decision->verdict != VERDICT_DONE)
        FUZZ_CHECK(decision->row_count == 0 && decision->refusal.message != NULL);
    if (decision->replayed)
        FUZZ_CHECK(decision->row_count == 0);
}

// What a dry run tells is what is decided.
static void rehearse(struct ledger *ledger, const struct request *request, const struct decision *decision)
{
    struct request other = *request;
    struct decision foretold;
    struct buffer left = {0}, right = {0};
    other.dry_run = !request->dry_run;
    decide(ledger, &other, &foretold);
    FUZZ_CHECK(foretold.dry_run != decision->dry_run);
    describe(decision, &left);
    describe(&foretold, &right);
    if (left.length != right.length || memcmp(left.data, right.data, left.length) != 0)
        FUZZ_FAIL("a dry run tells something else:\n%s\n%s", left.data, right.data);
    buffer_free(&left);
    buffer_free(&right);
}

static enum verdict verdict_of(struct ledger *ledger, const struct request *request)
{
    struct request other = *request;
    struct decision decision;
    other.client_ref = NULL;
    decide(ledger, &other, &decision);
    return decision.verdict;
}

// Where it is refused to book, the same elsewhere, or less of it, is not refused for the same reason.
static void follow_way_out(struct ledger *ledger, struct asked *asked, const struct decision *decision)
{
    const struct refusal *refusal = &decision->refusal;
    struct leg *leg = &asked->legs[0], before = *leg;
    if (asked->request.kind != REQUEST_CREATE)
        return;
    if (decision->verdict == VERDICT_CAPACITY_EXCEEDED) {
        FUZZ_CHECK(refusal->free < leg->gpus && refusal->first_short.number >= leg->start.number &&
                   refusal->first_short.number < leg->end.number);
        if (!refusal->has_next_start)
            return;
        FUZZ_CHECK(refusal->next_start.number > leg->start.number);
        leg->end.number += refusal->next_start.number - leg->start.number;
        leg->start = refusal->next_start;
        FUZZ_CHECK(verdict_of(ledger, &asked->request) != VERDICT_CAPACITY_EXCEEDED);
    } else if (decision->verdict == VERDICT_COMMITMENT_EXCEEDED) {
        FUZZ_CHECK(refusal->max_gpus < leg->gpus && amount_compare(refusal->available, refusal->needed) < 0);
        leg->gpus = refusal->max_gpus;
        if (leg->gpus > 0)
            FUZZ_CHECK(verdict_of(ledger, &asked->request) == VERDICT_DONE);
    }
    *leg = before;
}

// A request that was done is known under its name, and no other is.
static void send_again(struct ledger *ledger, const struct request *request)
{
    struct decision decision;
    if (request->client_ref == NULL)
        return;
    decide(ledger, request, &decision);
    FUZZ_CHECK(decision.verdict == VERDICT_DONE && decision.replayed);
}

static void ask(struct ledger *ledger, struct asked *asked)
{
    struct decision decision;
    decide(ledger, &asked->request, &decision);
    rehearse(ledger, &asked->request, &decision);
    if (decision.verdict != VERDICT_DONE) {
        follow_way_out(ledger, asked, &decision);
        return;
    }
    if (asked->request.dry_run || decision.replayed)
        return;
    ledger_apply(ledger, &decision);
    ledger_serve(ledger);
    send_again(ledger, &asked->request);
}

// ---- Time

static void take_time(struct input *input, struct ledger *ledger)
{
    static const int32_t seconds[] = {0,     1,     599,   600,    1800,      3599,  3600,       7200,
                                      36000, 86400, 90000, 259200, 7 * 86400, 18000, 31 * 86400, 100 * 86400};
    uint8_t byte = take(input);
    int64_t step = seconds[byte % 16];
    struct instant due;
    if (byte >= 160 && book_next_due(ledger->book, &due)) { // exactly when something is due, or just before
        step = due.seconds - ledger->now.seconds - (byte >= 224);
        if (step < 0)
            step = 0;
    }
    ledger_end_batch(ledger);
    ledger_advance(ledger, step, (byte & 16) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct asked asked;
    struct input input = {.at = data, .end = data + size};
    fuzz_initialise();
    struct ledger *ledger = ledger_begin();
    memset(&asked, 0, sizeof asked);
    for (int step = 0; step < STEPS_MAX && input.at < input.end; step++) {
        uint8_t kind = take(&input) % 16;
        if (kind <= 12) {
            take_request(&input, ledger, kind, &asked);
            ask(ledger, &asked);
        } else if (kind <= 14 || take(&input) >= 32) { // loading costs most, and is seldom news
            take_time(&input, ledger);
        } else {
            ledger_end_batch(ledger);
            ledger_reload(ledger);
        }
    }
    ledger_end_batch(ledger);
    ledger_reload(ledger);
    ledger_end(ledger);
    return 0;
}
