# webbrowser starts what it was told is a browser
import os, sys, webbrowser
m = sys.argv[1]
for browser in webbrowser.GenericBrowser(["/bin/touch", "%s"]), webbrowser.BackgroundBrowser(["/bin/touch", "%s"]):
    try: browser.open(m)
    except PermissionError as e: print("denied:", e)
sys.exit(not os.path.exists(m))
