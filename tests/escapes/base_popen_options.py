import os, subprocess, sys
m = sys.argv[1]
for options in ({"preexec_fn": os.getpid}, {"close_fds": False}, {"shell": True}, {"env": {}}, {"start_new_session": True},
                {"cwd": "/"}, {"executable": "/bin/touch"}):
    command = "/bin/touch " + m if options.get("shell") else ["/bin/touch", m]
    try: subprocess.Popen(command, **options).wait()
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
