"""A capture in which every name that a device, a tag, a topic or a banner can have is hostile: HTML that would be an element in a page
that does not take it for text. Each has a number of its own, by which a test knows which of them was shown."""
import struct

import console_server as console


def hostile(number):
    """Short, because some fields have little room."""
    return f"<img src=x onerror=alert({number})>".encode()


# what is hostile, by number
NAMES = {
    1: "Modbus vendor", 2: "MQTT topic", 3: "MQTT client", 4: "SSH banner", 5: "HTTP server", 6: "HTTP title", 7: "HTTP user agent", 8: "DHCP host name",
    9: "SNMP sysName", 10: "SNMP sysDescr", 11: "PROFINET station", 12: "OPC UA node", 13: "CIP tag", 14: "CIP product", 15: "LLDP system", 16: "FTP user",
    17: "DNS name",
}


class Plant(console.Capture):
    def udp(self, source, destination, ports, payload, addresses=None):
        header = struct.pack(">HHHH", *ports, 8 + len(payload), 0)
        size = 20 + 8 + len(payload)
        ends = addresses or (console.ip(source), console.ip(destination))
        packet = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 17, 0) + ends[0] + ends[1]
        self.frame((console.mac(destination) if destination else b"\xff" * 6) + console.mac(source) + b"\x08\x00" + packet + header + payload)

    def close(self):
        self.file.close()


def session(plant, client, server, port, service, *turns):
    """turns: what the client and the server say, by turns."""
    connection = console.Connection(plant, client, server, port, service)
    for i, data in enumerate(turns):
        if data:
            (connection.down if i % 2 else connection.up)(0x18, data)
    connection.up(0x11), connection.down(0x11), connection.up(0x10)


# --- the protocols ---

def modbus(plant):
    hmi = console.Modbus(plant, 20, 10, 50000)
    hmi.exchange(b"\x2b\x0e\x01\x00", console.identity(hostile(1), b"BMX P34 2020", b"V2.70"))


def mqtt(plant):
    def packet(kind, body):
        return bytes([kind, len(body)]) + body

    def text(data):
        return struct.pack(">H", len(data)) + data
    connect = packet(0x10, text(b"MQTT") + b"\x04\x02\x00\x3c" + text(hostile(3)))
    publish = packet(0x30, text(b"line/set/" + hostile(2)) + b"42")
    session(plant, 20, 11, 50010, 1883, connect, b"\x20\x02\x00\x00", publish, b"", publish)


def ssh(plant):
    session(plant, 21, 12, 50020, 22, b"SSH-2.0-client\r\n", b"SSH-2.0-" + hostile(4) + b"\r\n")


def http(plant):
    page = b"<html><head><title>" + hostile(6) + b"</title></head></html>"
    session(plant, 21, 13, 50030, 80, b"GET / HTTP/1.1\r\nHost: plc\r\nUser-Agent: " + hostile(7) + b"\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nServer: " + hostile(5) + b"\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)


def ftp(plant):
    session(plant, 21, 12, 50040, 21, b"", b"220 ready\r\n", b"USER " + hostile(16) + b"\r\n", b"331 password\r\n", b"PASS secret\r\n", b"230 in\r\n")


def dhcp(plant):
    options = b"\x63\x82\x53\x63" + b"\x35\x01\x03" + b"\x32\x04" + console.ip(22)
    options += bytes([12, len(hostile(8))]) + hostile(8) + b"\xff"
    message = struct.pack(">BBBBIHH", 1, 1, 6, 0, 7, 0, 0) + bytes(16) + console.mac(22) + bytes(10 + 64 + 128) + options
    plant.udp(22, 0, (68, 67), message, (bytes(4), b"\xff" * 4))
    plant.udp(22, 10, (50050, 502), b"\0" * 8)  # that it has an address


def der(tag, content):
    size = bytes([len(content)]) if len(content) < 128 else bytes([0x81, len(content)])
    return bytes([tag]) + size + content


def snmp(plant):
    def message(pdu, values):
        binds = b"".join(der(0x30, der(6, bytes([0x2B, 6, 1, 2, 1, 1, n, 0])) + value) for n, value in values)
        body = der(2, b"\x07") + der(2, b"\x00") + der(2, b"\x00") + der(0x30, binds)
        return der(0x30, der(2, b"\x01") + der(4, b"public") + der(pdu, body))
    plant.udp(21, 14, (50060, 161), message(0xA0, [(1, b"\x05\x00"), (5, b"\x05\x00")]))
    plant.udp(14, 21, (161, 50060), message(0xA2, [(1, der(4, hostile(10))), (5, der(4, hostile(9)))]))


def profinet(plant):
    block = hostile(11) + b"\0" * (len(hostile(11)) % 2)
    blocks = struct.pack(">BBHH", 2, 2, len(hostile(11)) + 2, 0) + block
    blocks += struct.pack(">BBHH", 1, 2, 14, 1) + console.ip(15) + b"\xff\xff\xff\0" + bytes(4)
    body = struct.pack(">HBBIHH", 0xFEFF, 5, 1, 9, 0, len(blocks)) + blocks
    plant.frame(console.mac(20) + console.mac(15) + b"\x88\x92" + body)


def opcua(plant):
    def text(data):
        return struct.pack("<i", len(data)) + data

    def message(kind, body):
        return kind + b"F" + struct.pack("<I", 8 + len(body)) + body

    def secure(number, body):
        return struct.pack("<IIII", 1, 1, number, number) + body
    hello = struct.pack("<IIIII", 0, 65535, 65535, 0, 0) + text(b"opc.tcp://plc:4840")
    policy = text(b"http://opcfoundation.org/UA/SecurityPolicy#None") + struct.pack("<ii", -1, -1)
    header = b"\x00\x00" + struct.pack("<qIIiI", 0, 1, 0, -1, 0) + b"\x00\x00\x00"
    answer = struct.pack("<qIIB", 0, 1, 0, 0) + struct.pack("<i", -1) + b"\x00\x00\x00"
    opening = struct.pack("<I", 0) + policy + struct.pack("<II", 1, 1)
    asks = opening + b"\x01\x00" + struct.pack("<H", 446) + header + struct.pack("<III", 0, 0, 1) + struct.pack("<i", -1) + struct.pack("<I", 3600000)
    opened = struct.pack("<I", 1) + policy + struct.pack("<II", 1, 1) + b"\x01\x00" + struct.pack("<H", 449) + answer
    opened += struct.pack("<I", 0) + struct.pack("<IIqI", 1, 1, 0, 3600000) + struct.pack("<i", -1)
    node = b"\x03" + struct.pack("<H", 1) + text(hostile(12))
    write = b"\x01\x00" + struct.pack("<H", 673) + header + struct.pack("<i", 1) + node + struct.pack("<Ii", 13, -1) + b"\x01\x0b" + struct.pack("<d", 7.0)
    wrote = b"\x01\x00" + struct.pack("<H", 676) + answer + struct.pack("<iI", 1, 0) + struct.pack("<i", -1)
    session(plant, 20, 16, 50070, 4840, message(b"HEL", hello), message(b"ACK", struct.pack("<IIIII", 0, 65535, 65535, 0, 0)), message(b"OPN", asks),
            message(b"OPN", opened), message(b"MSG", secure(2, write)), message(b"MSG", secure(2, wrote)))


def cip(plant):
    def enip(command, handle, data):
        return struct.pack("<HHII8sI", command, len(data), handle, 0, bytes(8), 0) + data

    def rr(data):
        return struct.pack("<IHHHHHH", 0, 0, 2, 0, 0, 0xB2, len(data)) + data
    tag = hostile(13)
    path = bytes([0x91, len(tag)]) + tag + b"\0" * (len(tag) % 2)
    write = bytes([0x4D, len(path) // 2]) + path + struct.pack("<HHi", 0xC4, 1, 5)
    product = hostile(14)
    identity = struct.pack("<HHHBBHI", 1, 14, 55, 20, 11, 0x60, 0x1234) + bytes([len(product)]) + product + b"\xff"
    address = struct.pack(">HH4s8s", 2, 44818, console.ip(17), bytes(8))
    item = struct.pack("<H", 1) + address + identity
    plant.udp(20, 17, (50080, 44818), enip(0x63, 0, b""))
    plant.udp(17, 20, (44818, 50080), enip(0x63, 0, struct.pack("<HHH", 1, 0x0C, len(item)) + item))
    session(plant, 20, 17, 50081, 44818, enip(0x65, 0, struct.pack("<HH", 1, 0)), enip(0x65, 9, struct.pack("<HH", 1, 0)),
            enip(0x6F, 9, rr(write)), enip(0x6F, 9, rr(b"\xcd\0\0\0")))


def lldp(plant):
    def tlv(kind, value):
        return struct.pack(">H", kind << 9 | len(value)) + value
    body = tlv(1, b"\x04" + console.mac(18)) + tlv(2, b"\x05port1") + tlv(3, b"\x00\x78") + tlv(5, hostile(15)) + tlv(0, b"")
    plant.frame(b"\x01\x80\xc2\x00\x00\x0e" + console.mac(18) + b"\x88\xcc" + body)


def dns(plant):
    name = bytes([len(hostile(17))]) + hostile(17) + b"\x05plant\x00"
    question = name + struct.pack(">HH", 1, 1)
    plant.udp(20, 19, (50090, 53), struct.pack(">HHHHHH", 5, 0x0100, 1, 0, 0, 0) + question)
    plant.udp(19, 20, (53, 50090), struct.pack(">HHHHHH", 5, 0x8180, 1, 1, 0, 0) + question + b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + console.ip(21))


def write(path, start):
    plant = Plant(path, start)
    for protocol in (modbus, mqtt, ssh, http, ftp, dhcp, snmp, profinet, opcua, cip, lldp, dns):
        protocol(plant)
    plant.close()
