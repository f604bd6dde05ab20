# a server of processes, started without an event, that makes more
import multiprocessing, os, sys
if __name__ == "__main__":
    m = sys.argv[1]
    process = multiprocessing.get_context("forkserver").Process(target=os.system, args=("/bin/touch " + m,)); process.start(); process.join()
    sys.exit(not os.path.exists(m))
