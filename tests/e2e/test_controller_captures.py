#!/usr/bin/env python3
"""Public captures with control actions raise the matching alert on an empty baseline; normal ones raise none of plc.*."""
import csv
import json
import os
import subprocess
import sys

CAPTURES = os.path.join(os.environ["SOURCE"], "..", "shared", "captures")
SKIP = 77

# capture, what its label says, the alerts that must be there
RAISE = [
    ("enip/cip_stop_plc.pcap", "CPU stop", "plc.stop"),
    ("enip/cip_unlock_cpu.pcap", "unlock", "plc.session-takeover"),
    ("enip/cl5000_change_date.pcap", "clock set", "plc.time-set"),
    ("enip/cl5000_firmware_change_failure.pcap", "firmware update", "plc.firmware-transfer"),
    ("enip/cl5000_lock_plc.pcap", "lock", "plc.session-takeover"),
    ("enip/cl5000_remote_mode_change.pcap", "mode change", "plc.stop plc.mode-change"),
    ("enip/cl5000_software_download.pcap", "program download", "plc.program-download plc.stop plc.start"),
    ("enip/uiuc_cip_only.pcap", "two mode changes", "plc.stop plc.start plc.mode-change"),
    ("modbus/digitalbond_part1.pcap", "diagnostics abuse", "plc.restart plc.stop"),
    ("s7comm/snap7_s300_everything.pcap", "stop, start, upload, clock", "plc.stop plc.start plc.program-upload plc.time-set"),
    ("s7comm/snap7_s300_stop.pcap", "CPU stop", "plc.stop"),
    ("s7comm/step7_s300_stop.pcap", "CPU stop", "plc.stop"),
    ("s7comm/step7_s300_download.pcap", "program download", "plc.program-download"),
    ("s7comm/tia_s300_downloadOb1.pcap", "program download", "plc.program-download"),
    ("s7comm/tia_s300_downloadHwConfig.pcap", "configuration download",
     "plc.config-write plc.program-download plc.stop plc.start plc.block-delete"),
    # 33, 34 and 35 carry the program from the controller to the PC, whatever the label calls it
    ("umas/digitalbond_modicon_download.pcap", "reservation and transfer", "plc.session-takeover plc.program-upload"),
]

# Captures of these protocols that are labelled normal are quiet; in other folders normal is said of whole function samples.
FOLDERS = ("modbus/", "umas/", "s7comm/", "enip/", "mixed/")

# Labelled normal, yet the same packets as an attack above: Modbus 8/1 and 8/4, and a clock that is set;
# teb: an engineering tool (TSAP SIMATIC-ROOT-ES) sets the operating state of an S7-1500 to run, as in s71200_online_stop_start.
SAME_AS_AN_ATTACK = {
    "mixed/agentcarter_teb.pcapng": "s7comm-plus/s71200_online_stop_start.pcapng",
    "modbus/suricata_modbus.pcap": "modbus/digitalbond_part1.pcap",
    "enip/icsnpp_enip_cip_example.pcap": "enip/cl5000_change_date.pcap",
}


def alerts(name):
    done = subprocess.run([os.environ["SIGHTGLASS"], "run", "-r", os.path.join(CAPTURES, name), "-s", ":memory:",
                           "-m", "detect", "--alerts", "-"], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{name}: exit {done.returncode}: {done.stderr[-500:]}")
    return {json.loads(line)["rule"]["id"] for line in done.stdout.splitlines()}


def main():
    manifest = os.path.join(CAPTURES, "MANIFEST.tsv")
    if not os.path.exists(manifest):
        print("shared captures are not here: skipped")
        return SKIP
    wrong = []
    for name, label, expected in RAISE:
        missing = set(expected.split()) - alerts(name)
        if missing:
            wrong.append(f"{name} ({label}): missing {' '.join(sorted(missing))}")
    with open(manifest, encoding="utf-8", newline="") as rows:
        normal = [row[0] for row in csv.reader(rows, delimiter="\t")
                  if row[5] == "normal" and row[0].startswith(FOLDERS) and row[0] not in SAME_AS_AN_ATTACK]
    if not normal:
        wrong.append("the manifest lists no normal capture")
    for name in normal:
        found = sorted(rule for rule in alerts(name) if rule.startswith("plc."))
        if found:
            wrong.append(f"{name} (normal): {' '.join(found)}")
    print("\n".join(wrong) or f"{len(RAISE)} captures raise, {len(normal)} stay quiet")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
