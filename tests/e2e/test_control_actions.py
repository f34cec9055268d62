#!/usr/bin/env python3
"""Every public capture that is labelled as a control action gives the operation class of the protocol's table, a program transfer is
joined into one with name, size and fingerprint, and what is labelled normal gives none of the gravest operations."""
import concurrent.futures
import csv
import json
import os
import subprocess
import sys

CAPTURES = os.path.join(os.environ["SOURCE"], "..", "shared", "captures")
SKIP = 77

# Never part of normal operation: what a plant wants to be told of whatever was learned.
GRAVEST = {"program_download", "program_modify", "program_delete", "stop", "start", "mode_change", "restart", "firmware_update", "force"}

# capture, operations that its requests must have as "protocol:class"
ACTIONS = [
    ("ads/addroute.pcapng", "ads_route:config_change"),
    ("ads/addroute1.pcapng", "ads_route:config_change"),
    ("ads/addrouteuse444444444.pcapng", "ads_route:config_change"),
    ("bacnet/icsnpp_services.pcap", "bacnet:restart bacnet:mode_change bacnet:write bacnet:file_write bacnet:time_set"),
    ("dnp3/digitalbond_part1.pcap", "dnp3:restart dnp3:stop dnp3:subscribe dnp3:write"),
    ("dnp3/digitalbond_part2.pcap", "dnp3:control"),
    ("dnp3/icsnpp_example.pcap", "dnp3:control"),
    ("dnp3/uiuc_cold_restart_and_response.pcap", "dnp3:restart"),
    ("dnp3/uiuc_directoperate_and_response.pcap", "dnp3:control"),
    ("dnp3/uiuc_disable_unsolcited_and_response.pcap", "dnp3:subscribe"),
    ("dnp3/uiuc_file_delete.pcap", "dnp3:file_delete"),
    ("dnp3/uiuc_file_write.pcap", "dnp3:file_write"),
    ("dnp3/uiuc_operate_aggressive_mode.pcap", "dnp3:control"),
    ("dnp3/uiuc_write_vto_empty_string.pcap", "dnp3:write"),
    ("dnp3/zeek_file_delete.pcap", "dnp3:file_delete"),
    ("dnp3/zeek_file_write.pcap", "dnp3:file_write"),
    ("dnp3/zeek_select_operate.pcap", "dnp3:control"),
    ("dnp3/zeek_udp_select_operate.pcap", "dnp3:control"),
    ("dnp3/zeek_udp_write.pcap", "dnp3:write"),
    ("dnp3/zeek_write.pcap", "dnp3:time_set"),  # c0 02 32 01: the object written is group 50, the clock
    ("enip/cip_stop_plc.pcap", "cip:stop"),
    ("enip/cip_unlock_cpu.pcap", "cip:lock"),
    ("enip/cl5000_change_date.pcap", "cip:time_set"),
    ("enip/cl5000_firmware_change_failure.pcap", "cip:firmware_update"),
    ("enip/cl5000_lock_plc.pcap", "cip:lock"),
    ("enip/cl5000_remote_mode_change.pcap", "cip:stop cip:lock"),
    ("enip/cl5000_software_download.pcap", "cip:stop cip:program_download cip:start"),
    ("enip/icsnpp_set_attribute.pcapng", "cip:config_change"),
    ("enip/lsw_cip.pcap", "cip:stop cip:time_set"),
    ("enip/uiuc_cip_only.pcap", "pccc:start pccc:stop"),
    ("fins/icsnpp_omron.pcapng", "fins:start fins:stop fins:program_download fins:program_delete fins:force fins:time_set fins:write"),
    ("ge-srtp/lsw_ge_srtp2.pcap", "ge_srtp:write"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "hart_ip:config_change hart_ip:force"),
    ("iec104/emre_58_59.pcap", "iec104:control"),
    ("iec104/emre_62.pcap", "iec104:write"),
    ("iec104/fkie_energy_s_001.pcap", "iec104:write"),
    ("iec104/wireshark_090813_diverse.pcap", "iec104:control iec104:write"),
    ("iec104/wireshark_iec104.pcap", "iec104:control"),
    ("mms/iec61850_write.pcap", "mms:write"),
    ("mms/mms-deleteProgramInvocation.pcap", "mms:program_delete"),
    ("mms/mms-initiateDownloadSequence.pcap", "mms:program_download"),
    ("mms/mms-killRequest.pcap", "mms:stop"),
    ("mms/mms-startRequest.pcap", "mms:start"),
    ("mms/mms-stopRequest.pcap", "mms:stop"),
    ("mms/mms-takeControl.pcap", "mms:lock"),
    ("modbus/arkime_modbus.pcap", "modbus:control modbus:program_download modbus:restart modbus:stop modbus:write"),
    ("modbus/digitalbond_part1.pcap", "modbus:restart modbus:stop"),
    ("modbus/digitalbond_part2.pcap", "modbus:write modbus:control modbus:program_download"),
    ("modbus/icsnpp_example.pcap", "modbus:write modbus:control modbus:file_write"),
    ("modbus/lemay_characterization.pcap", "modbus:control"),
    ("modbus/lsw_function_code_set.pcap", "modbus:write modbus:control modbus:program_download modbus:restart modbus:stop"),
    ("modbus/lsw_mask_write.pcap", "modbus:write"),
    ("modbus/lsw_read_write.pcap", "modbus:write"),
    ("modbus/mont_impact.pcap", "modbus:control"),
    ("modbus/pcapr_mask_write_register.pcap", "modbus:write"),
    ("modbus/pcapr_write_file_record.pcap", "modbus:file_write"),
    ("opcua/wireshark_opcua_method.pcap", "opcua:control"),
    ("other-ot/proconos_stop_start.pcap", "proconos:stop proconos:start"),
    ("profinet/change_ip_using_dcp.pcap", "pn_dcp:config_change"),
    ("profinet/icsnpp_io_cm.pcapng", "pnio_cm:config_change"),
    ("profinet/mehner_identify_name_dos.pcap", "pn_dcp:config_change"),
    ("roc-plus/all_opcodes_tcp.pcap", "roc_plus:write roc_plus:time_set roc_plus:file_write"),
    ("s7comm-plus/s71200_online_stop_start.pcapng", "s7comm_plus:stop s7comm_plus:start"),
    ("s7comm-plus/s71200_software_download.pcapng", "s7comm_plus:stop s7comm_plus:program_download s7comm_plus:start"),
    ("s7comm/arkime_synthetic.pcap", "s7comm:stop s7comm:write"),
    ("s7comm/conveyor_direct_replay.pcap", "s7comm:write"),
    ("s7comm/conveyor_on_off.pcap", "s7comm:write"),
    ("s7comm/conveyor_replay_session.pcap", "s7comm:write"),
    ("s7comm/conveyor_sorter_attack.pcap", "s7comm:write"),
    ("s7comm/conveyor_sorter_attack_background.pcap", "s7comm:write"),
    ("s7comm/s7comm_varservice_libnodavedemo_bench.pcap", "s7comm:write"),
    ("s7comm/snap7_s300_everything.pcap", "s7comm:stop s7comm:start s7comm:program_upload s7comm:time_set s7comm:write"),
    ("s7comm/snap7_s300_stop.pcap", "s7comm:stop"),
    ("s7comm/step7_s300_AuthPassword.pcap", "s7comm:auth"),
    ("s7comm/step7_s300_copyRamToRom.pcap", "s7comm:program_modify"),
    ("s7comm/step7_s300_download.pcap", "s7comm:program_download"),
    ("s7comm/step7_s300_rwVarTab.pcap", "s7comm:write"),
    ("s7comm/step7_s300_stop.pcap", "s7comm:stop"),
    ("s7comm/tia_s300_downloadHwConfig.pcap", "s7comm:stop s7comm:program_delete s7comm:program_download s7comm:start"),
    ("s7comm/tia_s300_downloadOb1.pcap", "s7comm:program_download"),
    ("s7comm/wincc_s300_setup-alarm-read-write.pcap", "s7comm:write"),
    ("synchrophasor/C37.118_1PMU_TCP.pcap", "synchrophasor:control"),
    ("tristation/nozomi_triton_malware_exec.pcapng", "tristation:program_download tristation:program_upload"),
]

# Labels that the bytes contradict: what the capture does hold.
CONTRADICTED = [
    # frame 4 ends in 80 07 31 000000000001, a partial read by index; no write service (40, 4f) goes over the wire
    ("c1222/c1222_rw_service_tcp.pcap", "c1222:read"),
    # in clear there are reads only
    ("enip/cl5000_ip_address_change.pcap", "cip:identify"),
    # TIA calls what it does to the PLC an upload: 31 0556 begins, 31 04ca creates "Main" with 2219 bytes in the PLC, 31 0560 ends
    ("s7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap", "s7comm_plus:program_download"),
    # "write": frame 205 sets object 52, attribute 2167 to 3 (00000034 01 9077 0008 03), which is "run"
    ("s7comm-plus/s71500-change.pcapng", "s7comm_plus:start"),
    # 33, 53 times 34, 35: the blocks are in the replies (fe 00 00 <size 2> ...), from the PLC to the PC
    ("umas/digitalbond_modicon_download.pcap", "umas:program_upload umas:lock"),
    # the request (5a 00 00) has sub-code 0, which has no meaning; the reply is exception 1
    ("umas/lsw_fc90.pcap", "umas:unknown"),
]

# Labelled as an attack or a write, without an operation of a protocol that could show it.
ELSEWHERE = {
    "enip/cl5000_software_upload_failure.pcap": "no EtherNet/IP session comes up",
    "modbus/lemay_exploit_ms08_netapi.pcap": "the exploit is SMB, Modbus is polled beside it",
    "modbus/lemay_moving_two_files.pcap": "the files move inside another channel, Modbus is polled beside it",
    "modbus/mont_lateral.pcap": "the intruder moves to the SCADA host, which goes on polling",
    "opc-da/lsw_opc_da_write.pcap": "DCOM: recognised, not read",
}

# Labelled normal, and yet with one of the gravest: which, and the bytes that say it.
GRAVE_THOUGH_NORMAL = {
    # a sample of every error: 00 05 01 14 09 00 (reinitialise, cold start), 11, 0b, 0a
    "bacnet/icsnpp_error_reject_abort.pcap": "restart mode_change program_delete program_modify",
    # the frames of dnp3/digitalbond_part1: 0d (cold restart), 0e (warm restart), 12 (stop application)
    "dnp3/ndpi_dnp3.pcapng": "restart stop",
    "dnp3/zeek_dnp3.pcap": "restart stop",
    # frames 3 and 4 write 01 to 0x0120, AL control: a bus that starts goes through init
    "ethercat/wireshark_ethercat.pcap": "mode_change",
    # scripted samples of every service, random values
    "ff/lsw_ff_hse.pcap": "program_download program_modify program_delete start stop restart",
    "fins/emre_omron1.pcap": "program_download program_delete start stop mode_change force",
    "fins/emre_omron2.pcap": "program_download program_delete start stop",
    # 57 ... 18 69 with the file's content; unclean, frame 309: 57 ... 10 02, remote stop
    "melsec/melsoft_UDP_clean_2.pcap": "program_download",
    "melsec/melsoft_UDP_unclean_1.pcap": "program_download stop",
    # frame 3758: 31 04f2 ... 00000034 01 9077 0008 03, the command of s71200_online_stop_start
    "mixed/agentcarter_teb.pcapng": "start",
    "s7comm-plus/s71500-normal.pcapng": "start",
    # 08 0004 and 08 0001, the bytes of digitalbond_part1
    "modbus/suricata_modbus.pcap": "restart stop",
    # AddNodes, 0100 e801: a server whose address space is built over the wire
    "opcua/icsnpp_cs_mainloop.pcapng": "program_modify",
    "opcua/icsnpp_cs_mainloop-not-localhost.pcapng": "program_modify",
    "opcua/icsnpp_cs_mainloop-ActivateSession-diagInfo.pcap": "program_modify",
    # frames 210 and 469: 00 0a 39, restart cold of all CPUs; 2f, run of the own CPU
    "other-ot/saia_sbus.pcap": "restart start",
}

# capture, rule, name, size, SHA-256 of what was transferred, how to get the same bytes without us
TRANSFERS = [
    ("dnp3/uiuc_file_write.pcap", "plc.config-write", "./helloworld.txt", 9,
     "48f033ab07c21e29a02842abe907ff3ef92c5e24a98ecc14741f5b7257dd4d10", "tshark dnp3.al.file.data"),
    ("dnp3/zeek_file_write.pcap", "plc.config-write", "C:/temp/DNPDeviceConfiguration written to Remote Device.xml", 830,
     "0c7b315ea3b7ff5fb4a78c3b501c66aeb595879966aab6d8781cb23371dc7b1a", "tshark dnp3.al.file.data"),
    # 5242 blocks of 350 bytes and one of 74 (tshark cip.data after its 4 bytes of offset); refused at the end, so no fingerprint
    ("enip/cl5000_firmware_change_failure.pcap", "plc.firmware-transfer", "firmware", 1834774, None, "tshark cip.data of service 0x4d"),
    ("enip/cl5000_software_download.pcap", "plc.program-download", "controller program", 2144, "", "not shown by another reader"),
    ("s7comm/snap7_s300_everything.pcap", "plc.program-upload", "SDB0", 216,
     "87c8f29f58429237a831c5e6723ea3eecefad59705cfbb15b180a87e6a8b3c7d", "data of 0x1e answers, after its 4 bytes of length"),
    ("s7comm/step7_s300_download.pcap", "plc.program-download", "DB1", 216,
     "b2088e3cf7c350dd67aed1306839f907f224e9b091b52c2b17e82cd4efbe8677", "data of 0x1b answers, after its 4 bytes of length"),
    ("s7comm/tia_s300_downloadOb1.pcap", "plc.program-download", "OB1", 332,
     "0a1b7e00bc6438667355002c8eb563544c0fc19607470abc5b384a1c9bc2761b", "data of 0x1b answers, two pieces"),
    # the first of seven blocks that are one alert
    ("s7comm/tia_s300_downloadHwConfig.pcap", "plc.config-write", "SDB7", 94,
     "415a2e25d9b9f0fddca11e7dfe0d606371fc7afbaccac5628c09fa4e3e8dafe6", "data of 0x1b answers"),
    ("s7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap", "plc.program-download", "Main", 2219, "", "not shown by another reader"),
    ("s7comm-plus/s71200_software_download.pcapng", "plc.program-download", "ReleaseMngmtRoot", 162203, "", "not shown by another reader"),
    ("tristation/nozomi_triton_malware_exec.pcapng", "plc.program-download", "NOZOMI", 112, "", "not shown by another reader"),
    ("umas/digitalbond_modicon_download.pcap", "plc.program-upload", "strategy", 12343,
     "223dfe4cb8497b9a16b23f20a369a1483f83903a85b749deb8c84f878186c5c1", "data of 0x34 replies, after its size"),
]


def sensor(name, output):
    done = subprocess.run([os.environ["SIGHTGLASS"], "run", "-r", os.path.join(CAPTURES, name), "-s", ":memory:", "-m", "detect",
                           output, "-"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: exit {done.returncode}: {done.stderr[-500:]}")
    return done.stdout.splitlines()


def operations(name):
    """Of requests and what needs no answer, as "protocol:class"; of responses when nobody's request was captured."""
    asked, answered = set(), set()
    for line in sensor(name, "--events"):
        event = json.loads(line)
        side = answered if event["ot"]["direction"] == "response" else asked
        side.add(f"{event['network']['protocol']}:{event['ot'].get('operation')}")
    return asked or answered


def wrong_transfer(row):
    name, rule, what, size, sha256, source = row
    told = {}
    for line in sensor(name, "--alerts"):
        alert = json.loads(line)
        transfer = alert["sightglass"].get("transfer")
        if alert["rule"]["id"] == rule and transfer and transfer.get("name") == what:
            told.setdefault(alert["event"]["id"], []).append(transfer)
    if len(told) != 1:
        return f"{name}: {len(told)} alerts about a transfer of {what}, not 1"
    last = [t for t in next(iter(told.values())) if t.get("sha256") or sha256 is None]
    if not last:
        return f"{name}: {what} has no fingerprint"
    if last[-1].get("size") != size:
        return f"{name}: {what} has {last[-1].get('size')} bytes, not {size}"
    if sha256 is None and "sha256" in last[-1]:
        return f"{name}: {what} has a fingerprint though it was refused"
    if sha256 and last[-1]["sha256"] != sha256:
        return f"{name}: {what} has the fingerprint {last[-1]['sha256']}, not {sha256} ({source})"
    return None


def wrong_action(row):
    missing = set(row[1].split()) - operations(row[0])
    return f"{row[0]}: no {' '.join(sorted(missing))}" if missing else None


def wrong_normal(name):
    grave = {op.split(":")[1] for op in operations(name)} & GRAVEST
    known = set(GRAVE_THOUGH_NORMAL.get(name, "").split())
    return f"{name}: labelled normal, has {sorted(grave)}, known are {sorted(known)}" if grave != known else None


def main():
    manifest = os.path.join(CAPTURES, "MANIFEST.tsv")
    if not os.path.exists(manifest):
        print("shared captures are not here: skipped")
        return SKIP
    with open(manifest, encoding="utf-8", newline="") as rows:
        labels = {row["file"]: row["label"] for row in csv.DictReader(rows, delimiter="\t") if not row["file"].startswith(("it/", "l2/"))}
    normal = sorted(name for name, label in labels.items() if label == "normal")
    judged = {row[0] for row in ACTIONS + CONTRADICTED} | set(ELSEWHERE)
    wrong = [f"{name}: labelled {label}, but in no table" for name, label in sorted(labels.items())
             if label.startswith(("ATTACK", "control", "write", "command", "mixed")) and name not in judged]
    wrong += [f"{name}: is not labelled normal" for name in sorted(set(GRAVE_THOUGH_NORMAL) - set(normal))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        wrong += [text for text in pool.map(wrong_action, ACTIONS + CONTRADICTED) if text]
        wrong += [text for text in pool.map(wrong_transfer, TRANSFERS) if text]
        wrong += [text for text in pool.map(wrong_normal, normal) if text]
    print("\n".join(wrong) or f"{len(ACTIONS)} captures with actions, {len(TRANSFERS)} transfers, {len(normal)} normal captures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
