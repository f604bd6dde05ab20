# Libraries that do what is not ours to do. Each is a package of Debian 12; `./dev setup` installs them.
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv)             # the daemon's loop
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37) # both databases; STRICT tables
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)      # JSON in the record and the command
pkg_check_modules(SMARTCOLS REQUIRED IMPORTED_TARGET smartcols)  # tables of the command
pkg_check_modules(ELF REQUIRED IMPORTED_TARGET libelf)           # which programs are interpreters
pkg_check_modules(SECCOMP REQUIRED IMPORTED_TARGET libseccomp>=2.5) # floors: filters of system calls
pkg_check_modules(PROTOBUF_C REQUIRED libprotobuf-c>=1.4.1)      # the contract
