#!/usr/bin/env python3
"""Every host of the bottling line is taken for what the README of its captures says it is, and stands at its Purdue level: after
learning, after every attack on it, and with its site policy. What only the policy or an action can tell is not guessed before."""
import concurrent.futures
import csv
import io
import os
import subprocess
import sys
import tempfile

SIGHTGLASS, SOURCE = os.environ["SIGHTGLASS"], os.environ["SOURCE"]
CAPTURES = os.path.join(SOURCE, "..", "shared", "captures")
TESTBED = os.path.join(SOURCE, "..", "shared", "testbed")
SKIP = 77

# address, class, Purdue level: by the README's table of hosts
HOSTS = [
    ("172.21.5.254", "router", "3.5"),
    ("172.21.5.250", "switch", "1"),
    ("172.21.5.10", "hmi", "2"),
    ("172.21.5.11", "hmi", "2"),
    ("172.21.5.20", "engineering", "2"),
    ("172.21.5.30", "historian", "3"),
    ("172.21.5.101", "plc", "1"),
    ("172.21.5.102", "plc", "1"),
    ("172.21.5.103", "plc", "1"),
    ("172.21.5.104", "plc", "1"),
    ("172.21.5.110", "rtu", "1"),
    ("172.21.5.120", "server", "2"),
    ("172.21.5.130", "plc", "1"),
    ("172.21.5.140", "server", "2"),
    ("172.21.9.40", "pc", "4"),
]
# in normal operation the engineering station only opens a web page and sets its clock
UNTOLD = {"172.21.5.20": ("pc", "")}

# Public captures whose hosts' nature is plain: capture, IP or MAC address, class, how one knows
PLAIN = [
    ("ads/beckoffaddroute.pcapng", "192.168.1.8", "plc", "CX1020"),
    ("ads/beckoffaddroute.pcapng", "fe80::d1d9:a23d:f71d:9f1a", "engineering", "adds a route"),
    ("bacnet/bbmd_same_subnet.pcap", "192.168.0.18", "plc", "I-Am"),
    ("bsap/bsap-ip_example.pcap", "192.168.5.210", "rtu", "Bristol Babcock"),
    ("bsap/bsap-ip_example.pcap", "192.168.5.211", "hmi", "Weintek, reads and writes"),
    ("dnp3/icsnpp_example.pcap", "10.10.20.8", "rtu", "outstation"),
    ("dnp3/uiuc_cold_restart_and_response.pcap", "192.168.60.1", "engineering", "orders a cold restart and reads nothing"),
    ("egd/lsw_egd.pcap", "140.80.0.77", "plc", "produces global data"),
    ("enip/cl5000_software_download.pcap", "192.168.10.105", "engineering", "the file's name"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.136", "unknown", "asks for an address and does nothing else"),
    ("enip/lsw_enip.pcap", "192.168.166.120", "plc", "1756-L61"),
    ("ethercat/wireshark_ethercat.pcap", "02:14:4f:23:98:cf", "plc", "the bus's master"),
    ("goose/robidev_goose_trace.pcap", "00:03:b3:01:89:e3", "ied", "publishes GOOSE"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "gateway", "wihartgw"),
    ("iec104/wireshark_iec104.pcap", "10.20.100.108", "rtu", "controlled station"),
    ("l2/lldp_and_cdp.pcap", "00:18:ba:98:68:8f", "switch", "WS-C3560-24TS"),
    ("l2/lldp_detailed.pcap", "00:01:30:f9:ad:a0", "switch", "Summit300-48"),
    ("l2/tcpdump_3560_cdp.pcap", "192.168.0.1", "switch", "WS-C3560G-24PS"),
    ("melsec/melsecq_udp.pcapng", "60.249.15.235", "plc", "Q03UDECPU"),
    ("melsec/melsoft_UDP_clean_2.pcap", "192.168.3.250", "plc", "FX5U-32MT/ES"),
    ("mixed/agentcarter_teb.pcapng", "192.168.42.30", "hmi", "KTP700 Basic"),
    ("mixed/agentcarter_teb.pcapng", "192.168.42.1", "router", "SCALANCE S615"),
    ("mixed/agentcarter_teb.pcapng", "e0:dc:a0:9a:e4:2b", "plc", "CPU-1200"),
    ("mms/pcapr_8d7c7db0.pcap", "10.101.1.3", "server", "e-terracomm, ICCP"),
    ("mms/tsccai_substation_mms_slice.pcapng", "198.121.0.181", "hmi", "a substation's computer"),
    ("modbus/lemay_moving_two_files.pcap", "192.168.1.100", "hmi", "MTU"),
    ("modbus/uiuc_modbus_test.pcap", "192.168.0.20", "gateway", "Moxa, four units"),
    ("other-ot/crimson_v3_getversion.pcap", "166.141.92.53", "hmi", "Red Lion G306a"),
    ("profinet/icsnpp_mixed_1.pcap", "192.168.1.2", "io-device", "VersaMax PNS"),
    ("profinet/icsnpp_mixed_1.pcap", "192.168.1.3", "plc", "PC Worx RT Basic"),
    ("profinet/icsnpp_mixed_1.pcap", "00:0e:8c:ef:75:c5", "switch", "X208"),
    ("profinet/mehner_identify.pcap", "ac:64:17:1f:a9:c5", "plc", "S7-1500"),
    ("profinet/mehner_identify.pcap", "ac:64:17:21:35:cf", "io-device", "ET200SP"),
    ("roc-plus/all_opcodes_tcp.pcap", "192.168.1.200", "rtu", "ROC800"),
    ("s7comm/conveyor_direct_replay.pcap", "18:03:73:d8:e0:b0", "hmi", "scada-pc"),
    ("s7comm/conveyor_direct_replay.pcap", "00:1b:1b:34:34:d0", "switch", "SCALANCE X 200"),
    ("s7comm/conveyor_direct_replay.pcap", "00:1c:06:08:3f:8b", "plc", "a port of 10.10.10.13"),
    ("s7comm/step7_s300_download.pcap", "134.249.53.130", "engineering", "STEP 7"),
    ("s7comm/step7_s300_download.pcap", "134.249.61.182", "plc", "S7-300"),
    ("s7comm/wincc_s300_setup-alarm-read-write.pcap", "134.249.53.130", "hmi", "WinCC"),
    ("s7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap", "192.168.1.10", "engineering", "TIA portal"),
    ("s7comm-plus/S7-1511_db6w0_HMI.pcapng", "192.168.25.146", "hmi", "the file's name"),
    ("s7comm-plus/V13_1200_TP1200sim.pcapng", "192.168.1.35", "hmi", "TP1200"),
    ("s7comm-plus/s71200_go_online.pcapng", "192.168.55.2", "switch", "Aruba 2930F"),
    ("s7comm-plus/s71200_go_online.pcapng", "192.168.55.5", "engineering", "tia-muhpc"),
    ("s7comm-plus/s71200_online_stop_start.pcapng", "192.168.55.5", "engineering", "tia-muhpc stops a PLC"),
    ("s7comm-plus/s71500-change.pcapng", "192.168.0.1", "plc", "its port is ac:64:17:5f:fa:42"),
    ("s7comm-plus/s71500-change.pcapng", "ac:64:17:5f:fa:42", "plc", "CPU 1515-2 PN"),
    ("sv/lsw_sv.pcap", "00:0c:cd:01:00:27", "ied", "merging unit"),
    ("synchrophasor/C37.118_1PMU_TCP.pcap", "192.168.0.20", "server", "a concentrator"),
    ("synchrophasor/C37.118_1PMU_UDP.pcap", "192.168.0.60", "ied", "PMU1"),
    ("tristation/nozomi_triton_malware_exec.pcapng", "192.168.1.2", "plc", "Triconex"),
    ("tristation/nozomi_triton_malware_exec.pcapng", "192.168.1.88", "engineering", "runs the malware"),
    ("umas/digitalbond_modicon_download.pcap", "192.168.63.100", "engineering", "the file's name"),
    ("umas/digitalbond_modicon_download.pcap", "192.168.63.253", "plc", "140 CPU 311 10"),
]


def run(capture, store, *words):
    done = subprocess.run([SIGHTGLASS, "run", "-r", os.path.join(TESTBED, capture), "-s", store, *words], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        sys.exit(f"{capture}: {done.stderr[-500:]}")


def wrong_of(store, when, exceptions):
    done = subprocess.run([SIGHTGLASS, "assets", "-s", store, "--format", "csv"], capture_output=True, text=True, check=True)
    found = {row["ip"]: row for row in csv.DictReader(io.StringIO(done.stdout, newline=""))}
    for ip, asset_class, level in HOSTS:
        asset_class, level = exceptions.get(ip, (asset_class, level))
        row = found.get(ip, {})
        if (row.get("asset_class"), row.get("purdue_level")) != (asset_class, level):
            yield f"{when}: {ip} is {asset_class} at {level}, not {row.get('asset_class')} at {row.get('purdue_level')}"
        if "asset_class: inferred, " not in row.get("sources", ""):
            yield f"{when}: {ip} does not say why: {row.get('sources')}"


def plain(capture):
    """What is wrong of the rows of one capture."""
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "one.db")
        run(os.path.join(CAPTURES, capture), store, "-m", "learn")
        done = subprocess.run([SIGHTGLASS, "assets", "-s", store, "--format", "csv"], capture_output=True, text=True, check=True)
        rows = list(csv.DictReader(io.StringIO(done.stdout, newline="")))
        for one, address, expected, why in PLAIN:
            classes = [row["asset_class"] for row in rows
                       if address in ";".join(row[key] for key in ("ip", "mac", "ip_other", "mac_other")).split(";")]
            if one == capture and classes != [expected]:
                wrong.append(f"{capture}: {address} ({why}) is {expected}, not {classes}")
    return wrong


def main():
    if not os.path.exists(os.path.join(TESTBED, "normal-learn.pcap")):
        print("shared captures are not here: skipped")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        store, placed = os.path.join(folder, "one.db"), os.path.join(folder, "two.db")
        config = os.path.join(folder, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"policy: {os.path.join(SOURCE, 'tests/e2e/testbed-policy.yaml')}\n")
        run("normal-learn.pcap", store, "-m", "learn")
        run("normal-learn.pcap", placed, "-m", "learn", "-c", config)
        wrong = [*wrong_of(store, "after learning", UNTOLD), *wrong_of(placed, "with the site policy", {})]
        for name in sorted(os.listdir(TESTBED)):
            if name.startswith("attack-") and name.endswith(".pcap"):
                run(name, store, "-m", "detect")
        wrong += wrong_of(store, "after the attacks", {})
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for one in pool.map(plain, sorted({row[0] for row in PLAIN})):
                wrong += one
    print("\n".join(wrong) or f"{len(HOSTS)} hosts, three times; {len(PLAIN)} of public captures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
