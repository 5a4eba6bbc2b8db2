// Tells the service manager how the daemon is doing, when there is one that asked.
#ifndef COLOSSUS_SERVER_NOTIFY_H
#define COLOSSUS_SERVER_NOTIFY_H

void notify_ready(void);
void notify_stopping(void);

#endif
