"""The gate as verbs pass it: its progress is told, and what it found is printed."""

from passage.exits import Exit, VerbEndedError
from passage.integrity.gate import Gate, check_gate, open_gate
from passage.printing import counted, out, print_table
from passage.runner.telling import telling
from passage.running import Running

CLOSED = (
    "the gate is closed: nothing may write. `passage gate` shows why again; "
    "`passage repair --dry-run` shows what can be put right from the archive; docs/operating.md, "
    "'The gate is closed', says what to do"
)


async def tell_gate(running: Running) -> Gate:
    with telling() as told:
        return await check_gate(running, told.tell_next)


async def pass_gate(running: Running) -> str:
    """Reads the log, writes that it was found sound, and returns its incarnation.

    Raises VerbEndedError (1), and prints why, where services must not write.
    """
    gate = await tell_gate(running)
    if not gate.is_open:
        print_gate(gate)
        raise VerbEndedError(Exit.FAILED, CLOSED)
    open_gate(gate, running)
    return gate.incarnation


def print_gate(gate: Gate) -> None:
    heads = gate.heads
    out.print(
        f"{counted(heads.sequence, 'event')} of {counted(heads.cases, 'case')}, "
        f"{counted(len(gate.witnessed.lines), 'checkpoint')}, "
        f"archive up to {gate.archive.last}; read in {gate.seconds:.2f} s"
    )
    if gate.findings.kept:
        rows = [(one.severity, one.check, one.where, one.what) for one in gate.findings.kept]
        print_table("Findings", ("severity", "check", "where", "what"), rows)
    out.print("the gate is open" if gate.is_open else "the gate is closed")
