# a service of this host that does what it is told, by its socket's path, by every way to connect
import asyncio, multiprocessing.connection, os, socket, sys, time
m = sys.argv[1]; path = os.environ["ESCAPE_DEPUTY"] + "/stream"; order = m.encode() + b"\n"
def plain(): s = socket.socket(socket.AF_UNIX); s.connect(path); s.sendall(order)
def code(): s = socket.socket(socket.AF_UNIX); print(s.connect_ex(path)); s.sendall(order)
def relative(): os.chdir(os.path.dirname(path)); s = socket.socket(socket.AF_UNIX); s.connect(b"stream"); s.sendall(order)
def by_number(): s = socket.socket(fileno=socket.socket(socket.AF_UNIX).detach()); s.connect(path); s.sendall(order)
def by_loop():
    async def f(): reader, writer = await asyncio.open_unix_connection(path); writer.write(order); await writer.drain()
    asyncio.run(f())
def by_client(): s = socket.socket(fileno=os.dup(multiprocessing.connection.Client(path, "AF_UNIX").fileno())); s.sendall(order)
for way in plain, code, by_number, by_loop, by_client, relative:
    try: way()
    except OSError as e: print("denied:", e)
for i in range(50):
    if os.path.exists(m): break
    time.sleep(.02)
sys.exit(not os.path.exists(m))
