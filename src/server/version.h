// The daemon's name and version, as `--version`, session.info and server.status show them.
#ifndef COLOSSUS_SERVER_VERSION_H
#define COLOSSUS_SERVER_VERSION_H

#define COLOSSUS_NAME     "colossusd"
#define COLOSSUS_PROTOCOL 1
#ifndef COLOSSUS_VERSION
#define COLOSSUS_VERSION "0.1.0"
#endif

#endif
