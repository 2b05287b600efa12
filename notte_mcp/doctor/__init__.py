"""`notte-mcp doctor`: what this machine has, lacks and has left over, and the repair of what is safe to repair.

`finding` is the value, one file for each part of the machine yields findings, `examining` names them in
their order, `commands` prints. Above: commands.
"""
