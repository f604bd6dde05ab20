/* Where the other parts of Warder are: beside this program, in a build tree or an installation. */
#ifndef WARDER_CLIENT_CLI_INSTALLATION_H
#define WARDER_CLIENT_CLI_INSTALLATION_H

/* Paths are owned by the caller; NULL if the part is missing. */
char *installed_daemon(void);
char *installed_hook(void); /* libwarder.so */
char *installed_policy_directory(void);

#endif
