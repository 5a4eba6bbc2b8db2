// colossus: the command line of colossusd.
#include "cli/cli.h"
#include <locale.h>

int main(int count, char **texts)
{
    // For the width of characters, whatever the environment says.
    setlocale(LC_CTYPE, "C.UTF-8");
    return cli_main(count, texts, stdout, stderr);
}
