# asyncio, with the event patched away, on a loop in a thread
import asyncio, os, subprocess, sys, threading
m = sys.argv[1]
sys.audit = lambda *a: None
async def f(): await (await asyncio.create_subprocess_shell("/bin/touch " + m, start_new_session=True)).wait()
asyncio.run(f())
sys.exit(not os.path.exists(m))
