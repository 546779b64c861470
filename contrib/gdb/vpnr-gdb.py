# SPDX-License-Identifier: MIT
"""gdb's command "vpnr streams": what a vpnr-client or vpnr-server is carrying.

    gdb -x vpnr-gdb.py -ex "vpnr streams" -p PID
    gdb -x vpnr-gdb.py -ex "vpnr streams" vpnr-server CORE-FILE

"make install" puts it into PREFIX/share/vpnr; docs/debugging.md says what to make of what it shows.

It works on a process that has stopped and on a core file alike, because it only reads memory: it
calls nothing in the program, takes no lock and changes nothing. The threads stopped wherever they
were, so numbers that belong together may be one step apart.

The search begins at main(), whose variable "app" leads to everything else (src/app/client_main.c
and server_main.c). What it reads are the structs of src/stream/stream.h, src/stream/table_private.h,
src/base/mailbox.c, src/client/{uplinks,uplink,bulletin,tunnel}.c and src/server/{service,tenant}.c, so the program must have been
built with debug information, as it is unless somebody asked otherwise. Written for gdb 10 and later.
"""

import contextlib
import ipaddress

import gdb

# Names of enumerators that read badly in lower case; the words are those of vpnrctl.
STATES = {"LOCAL_CLOSED": "half-closed (local)", "REMOTE_CLOSED": "half-closed (remote)"}

COLUMNS = ("ID", "STATE", "DESTINATION", "SENT", "RECEIVED", "QUEUE", "THREAD")
TEXT_COLUMNS = ("STATE", "DESTINATION")


# --- values --------------------------------------------------------------------------------------


def enumerator(value, prefix):
    """VPNR_STREAM_OPEN, with the prefix VPNR_STREAM_, as OPEN."""
    plain = value.cast(value.type.strip_typedefs().unqualified())
    return str(plain).replace(prefix, "", 1)


def octets(array):
    first, last = array.type.range()
    return bytes(int(array[i]) for i in range(first, last + 1))


def address(addr):
    """A VpnrAddr as src/base/addr.c writes it."""
    kind = enumerator(addr["type"], "VPNR_ADDR_")
    port = int(addr["port"])
    if kind == "IPV4":
        return f"{ipaddress.IPv4Address(octets(addr['ip4']))}:{port}"
    if kind == "IPV6":
        return f"[{ipaddress.IPv6Address(octets(addr['ip6']))}]:{port}"
    if kind == "NAME":
        return f"{addr['name'].string(errors='replace')}:{port}"
    return "none"


def packed(addr):
    """A VpnrPackedAddr."""
    if not addr:
        return "none"
    start = addr["bytes"].address.cast(gdb.lookup_type("VpnrAddr").pointer())
    return address(start.dereference())


def state(stream):
    name = enumerator(stream["state"], "VPNR_STREAM_")
    return STATES.get(name, name.lower())


def waits(stream):
    """As vpnr_stream_get_waits()."""
    name = enumerator(stream["waits"], "VPNR_WAITS_").lower()
    return name if int(stream["opened"]) or name == "link" else "opening"


def count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --- from main() to the streams ------------------------------------------------------------------


@contextlib.contextmanager
def on_thread(thread):
    """Selects a thread, and afterwards what the user had selected."""
    old_thread, old_frame = gdb.selected_thread(), gdb.selected_frame()
    thread.switch()
    try:
        yield
    finally:
        old_thread.switch()
        old_frame.select()


def find_app():
    """The variable "app" of main()."""
    threads = gdb.selected_inferior().threads()
    if not threads:
        raise gdb.GdbError("there is no process: attach to one (-p PID) or open a core file")
    # In a core file the thread that crashed comes first; main() is the one with the process's id.
    with on_thread(min(threads, key=lambda thread: (thread.ptid[1] != thread.ptid[0], thread.num))):
        frame = gdb.newest_frame()
        while frame is not None and frame.name() != "main":
            frame = frame.older()
        if frame is None:
            raise gdb.GdbError("main() is not to be found: this is no vpnr program, or its symbols"
                               " have been stripped")
        return read_app(frame)


def read_app(frame):
    if frame.function() is None:
        raise gdb.GdbError("main() has no debug information: build vpnr with -g, and do not strip it")
    try:
        app = frame.read_var("app")
    except ValueError:
        app = None
    if app is None or str(app.type) not in ("VpnrClientApp", "VpnrServerApp"):
        raise gdb.GdbError("this is neither vpnr-client nor vpnr-server")
    return app


def links(app):
    """(what to call it, its VpnrTable or None) for each link."""
    if str(app.type) == "VpnrClientApp":
        uplinks = app["uplinks"]
        for i in range(int(uplinks["n"]) if uplinks else 0):
            uplink = uplinks["uplink"][i]
            yield f"link to {address(uplink['bulletin']['news']['server'])}", uplink["tunnel"]["table"]
        return
    if not app["server"]:
        return
    services = app["server"]["services"]
    for i in range(int(services["len"])):
        service = services["pdata"][i].cast(gdb.lookup_type("struct VpnrService").pointer())
        name = service["client"].string() if service["client"] else "nobody yet"
        yield f"link of {name} from {address(service['peer'])}", service["tenant"]["table"]


def streams(table):
    """The streams of a table, oldest first. One more than are counted may be there: the thread
    that was adding it has been stopped. Where memory is damaged the list may have no end."""
    found = []
    stream = table["first"]
    while stream and len(found) <= int(table["n_streams"]):
        found.append(stream.dereference())
        stream = stream["next"]
    return reversed(found)


# --- what is shown -------------------------------------------------------------------------------


def thread_numbers():
    """gdb's number of each thread, by the kernel's."""
    return {thread.ptid[1]: thread.num for thread in gdb.selected_inferior().threads()}


def thread_of(stream, numbers):
    tid = int(stream["tid"])
    if tid == 0:
        return "-"
    # A gdb outside the container of the process knows the thread by another number.
    return str(numbers.get(tid, f"LWP {tid}"))


def row(stream, numbers):
    return (str(int(stream["id"])), state(stream), packed(stream["dest"]),
            str(int(stream["bytes_out"])), str(int(stream["bytes_in"])),
            str(int(stream["inbox"]["length"])), thread_of(stream, numbers))


def show_table(rows):
    widths = [max(len(r[i]) for r in rows) for i in range(len(COLUMNS))]
    for r in rows:
        cells = (cell.ljust(width) if title in TEXT_COLUMNS else cell.rjust(width)
                 for cell, width, title in zip(r, widths, COLUMNS))
        gdb.write("  ".join(cells) + "\n")


def ends(stream):
    """Which ends of data have passed, and whether the stream was aborted."""
    said = [text for field, text in (("fin_sent", "we have ended"),
                                     ("reset_sent", "we have reset"),
                                     ("ended", "the peer has ended"))
            if int(stream[field])]
    reason = enumerator(stream["reset"], "VPNR_REASON_")
    if reason != "NONE":
        said.append("aborted: " + reason.lower().replace("_", " "))
    return ", ".join(said) or "none"


def show_details(stream):
    """What decides whether a stream goes on or waits; see docs/debugging.md."""
    send, recv, inbox = stream["send"], stream["recv"], stream["inbox"]
    owner = enumerator(inbox["state"], "OWNER_").lower()
    if stream["peer"]:
        gdb.write(f"  application  {packed(stream['peer'])}\n")
    gdb.write(f"  inbox        {count(int(inbox['length']), 'frame')}, its worker is {owner}\n")
    gdb.write(f"  sending side {enumerator(stream['lend']['state'], 'VPNR_LEND_').lower()}\n")
    gdb.write(f"  waits for    {waits(stream)}\n")
    gdb.write(f"  in writer    {int(stream['share']['queued'])} bytes\n")
    gdb.write(f"  may send     {int(send['limit']) - int(send['spent'])} bytes more\n")
    gdb.write(f"  may receive  {int(recv['limit']) - int(recv['received'])} bytes more"
              f" of a window of {int(recv['window'])},"
              f" {int(recv['received']) - int(recv['consumed'])} not yet taken by the socket\n")
    gdb.write(f"  ends         {ends(stream)}\n")


def show_link(title, table, wanted):
    """Shows the streams of a link, or the one with the wanted id. Returns how many."""
    if not table:
        gdb.write(f"{title}: not up\n")
        return 0
    numbers = thread_numbers()
    found = [s for s in streams(table) if wanted is None or int(s["id"]) == wanted]
    if wanted is None:
        gdb.write(f"{title}: {count(len(found), 'stream')}\n")
    elif found:
        gdb.write(f"{title}\n")
    if found:
        show_table([COLUMNS] + [row(stream, numbers) for stream in found])
    if wanted is not None:
        for stream in found:
            show_details(stream)
    return len(found)


class Vpnr(gdb.Command):
    """Commands for vpnr-client and vpnr-server."""

    def __init__(self):
        super().__init__("vpnr", gdb.COMMAND_DATA, prefix=True)


class VpnrStreams(gdb.Command):
    """List the streams that vpnr carries, oldest first, or tell more about one.
Usage: vpnr streams [ID]

SENT and RECEIVED are bytes, to and from the link. QUEUE is the number of frames
that wait in the stream's inbox for its worker. THREAD is the worker as "info
threads" numbers it. On a server each link has ids of its own."""

    def __init__(self):
        super().__init__("vpnr streams", gdb.COMMAND_DATA, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        if argument and not argument.isdecimal():
            raise gdb.GdbError(f'"{argument}" is no stream id: usage: vpnr streams [ID]')
        wanted = int(argument) if argument else None
        n_links = n_streams = 0
        try:
            for title, table in links(find_app()):
                n_links += 1
                n_streams += show_link(title, table, wanted)
        except gdb.MemoryError as error:
            raise gdb.GdbError(f"the list ends here, its memory cannot be read: {error}")
        if n_links == 0:
            gdb.write("no links\n")
        elif wanted is not None and n_streams == 0:
            raise gdb.GdbError(f"there is no stream {wanted}")


Vpnr()
VpnrStreams()
