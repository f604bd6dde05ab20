"""Warder enforces this host's policy inside this interpreter.

    import warder
    warder.attach()            # from here on, for good

    try:
        subprocess.run(["id"])
    except warder.PolicyDenied as denied:
        print(denied, denied.policy, denied.rule, denied.decision_id)

attach() raises if the interpreter did not come under policy: ConnectionError without a daemon,
RuntimeError where the hook did not go in. Code that must not run unguarded lets that end it.
What raises no audit event is not judged, and no floor is taken: against code that nobody vouches
for, start the interpreter with `warder run`. help(warder.attach) has the rest.

An interpreter that was started under Warder (`warder run`, or a host that preloads it for everyone)
is attached already; there, `import warder` finds a builtin module with the same names.
"""

from ._hook import PolicyDenied, __version__, attach

__all__ = ["PolicyDenied", "attach", "__version__"]
