// metrics: OpenMetrics text as the readers of Prometheus' older text take it, such as node_exporter's
// textfile collector and promtool.
//
// The two differ in one thing that matters: of a counter, OpenMetrics names the family without the "_total"
// of its samples, and the older text with it. (UNIT and EOF are comments there.)
#include "cli/cli.h"

#include <string.h>

// "# TYPE name type": the name, and its length; NULL when the line is not what it is to be about.
static const char *family_of(const char *line, size_t *length)
{
    const char *name = line[0] == '#' && line[1] == ' ' ? strchr(line + 2, ' ') : NULL;
    if (name != NULL)
        *length = strcspn(++name, " \n");
    return name;
}

static bool is_type(const char *line, const char *rest)
{
    return strncmp(line, "# TYPE ", 7) == 0 && strncmp(rest, " counter\n", 9) == 0;
}

void show_metrics(struct cli *cli, const json_t *result)
{
    const char *line = json_string_value(json_object_get(result, "metrics"));
    const char *counter = ""; // the family at hand, when it is a counter
    size_t counter_length = 0;
    while (line != NULL && *line != '\0') {
        size_t length = strcspn(line, "\n"), name_length = 0;
        const char *name = family_of(line, &name_length);
        if (name != NULL && is_type(line, name + name_length)) {
            counter = name;
            counter_length = name_length;
        }
        size_t before = length;
        if (name != NULL && name_length == counter_length && memcmp(name, counter, name_length) == 0)
            before = (size_t)(name + name_length - line);
        fwrite(line, 1, before, cli->out);
        fprintf(cli->out, "%s%.*s\n", before < length ? "_total" : "", (int)(length - before), line + before);
        line += length + (line[length] == '\n');
    }
}
