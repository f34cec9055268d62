#!/usr/bin/env python3
"""The stories of labelled captures: each is one incident whose title reads aloud, with few alerts; and what went on
before, once learned, raises none. The title and the tactics are what an analyst who has read the capture would say."""
import concurrent.futures
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

SOURCE, BUILD = os.environ['SOURCE'], os.environ['BUILD']
SIGHTGLASS = os.environ.get('SIGHTGLASS', os.path.join(BUILD, 'sightglass'))
CAPTURES = os.path.join(SOURCE, '../shared/captures')

# what it shows, learned first ('normal': the packets that the labels call normal), capture, most alerts, and of the one
# incident: words of its title in this order, tactics it walks through
ROWS = [
    ('TRITON', None, 'tristation/nozomi_triton_malware_exec.pcapng', 12,
     ['192.168.1.88', 'first contact', '192.168.1.2', 'read its program', 'downloaded a program'], ['collection', 'lateral-movement']),
    ('UMAS transfer', None, 'umas/digitalbond_modicon_download.pcap', 8,
     ['192.168.63.100', 'first contact', 'sole control', 'read its program'], ['collection']),
    ('S7 block download', None, 's7comm/step7_s300_download.pcap', 8,
     ['134.249.53.130', 'first contact', 'downloaded a program'], ['lateral-movement']),
    ('S7 OB1 download', None, 's7comm/tia_s300_downloadOb1.pcap', 8,
     ['134.217.61.131', 'first contact', 'downloaded a program'], ['lateral-movement']),
    ('S7 hardware configuration', None, 's7comm/tia_s300_downloadHwConfig.pcap', 12,
     ['134.217.61.131', 'first contact', 'stopped it', 'deleted program parts', 'downloaded a program', 'started it'],
     ['execution', 'inhibit-response-function', 'lateral-movement']),
    ('FKIE, nothing learned', None, 'iec104/fkie_energy_s_001.pcap', 12, ['10.0.104.2', 'first contact', '10.0.104.11', 'changed its values'], []),
    ('MONT impact', None, 'modbus/mont_impact.pcap', 6, ['192.168.52.5', 'first contact', '192.168.52.6', 'changed its values'], []),
    ('MONT lateral movement', None, 'modbus/mont_lateral.pcap', 6, ['192.168.52.5', 'first contact', '192.168.52.6'], []),
    ('conveyor, direct replay', None, 's7comm/conveyor_direct_replay.pcap', 20, ['10.10.10.10', 'first contact', '10.10.10.13', 'changed its values'], []),
    ('conveyor, session replay', None, 's7comm/conveyor_replay_session.pcap', 25, ['10.10.10.80', 'first contact', '10.10.10.10', 'changed values'], []),
    ('conveyor, sorter', None, 's7comm/conveyor_sorter_attack.pcap', 6, ['10.10.10.80', 'first contact', '10.10.10.13', 'changed its values'], []),
    ('conveyor, sorter beside the HMI', 's7comm/conveyor_on_off.pcap', 's7comm/conveyor_sorter_attack_background.pcap', 6,
     ['10.10.10.80', 'first contact', '10.10.10.13', 'changed its values'], []),
    ('FKIE, after learning', 'iec104/fkie_energy_train.pcapng', 'iec104/fkie_energy_s_001.pcap', 1, [], []),
    ('MONT impact, after learning', 'modbus/mont_lateral.pcap', 'modbus/mont_impact.pcap', 3, [], []),
    ('conveyor, direct replay, after learning', 's7comm/conveyor_on_off.pcap', 's7comm/conveyor_direct_replay.pcap', 12,
     ['10.10.10.10', 'first contact', '10.10.10.13', 'changed its values'], []),
    ('conveyor, session replay, after learning', 's7comm/conveyor_on_off.pcap', 's7comm/conveyor_replay_session.pcap', 12,
     ['10.10.10.80', 'first contact', '10.10.10.10', 'changed values'], []),
    ('S7-1200 download', None, 's7comm-plus/s71200_software_download.pcapng', 24,
     ['192.168.55.5', 'first contact', 'stopped', '192.168.42.10', 'downloaded a program', 'started it'], ['execution', 'lateral-movement']),
    ('S7-1200 OB1 download', None, 's7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap', 8,
     ['192.168.1.10', 'first contact', '192.168.1.191', 'downloaded a program'], ['lateral-movement']),
    ('S7-1200 stop and start', None, 's7comm-plus/s71200_online_stop_start.pcapng', 20,
     ['192.168.55.5', 'first contact', 'stopped', '192.168.42.10', 'started it'], ['execution']),
    ('Lemay, characterisation', 'normal', 'modbus/lemay_characterization.pcap', 8,
     ['192.168.1.101', 'first contact', '192.168.1.104', 'probed it'], ['collection']),
    ('Lemay, exploit', 'normal', 'modbus/lemay_exploit_ms08_netapi.pcap', 10, ['192.168.1.101', 'first contact', '192.168.1.105'], []),
    ('Lemay, moved files', 'normal', 'modbus/lemay_moving_two_files.pcap', 12, ['192.168.1.101'], []),
]
# of which types the alerts of a row are, beside those of a first contact
FIRST_CONTACT = 'asset.new asset.new-controller asset.new-engineering-actor comm.new-link'
TYPES = {
    'TRITON': 'plc.program-upload plc.program-download plc.safety-access mal.known-pattern',
    'UMAS transfer': 'plc.session-takeover plc.program-upload',
    'S7 block download': 'plc.program-download',
    'S7 OB1 download': 'plc.program-download',
    'S7 hardware configuration': 'plc.stop plc.block-delete plc.config-write plc.program-download plc.start plc.mode-change',
    'FKIE, nothing learned': 'plc.time-set rw.new-writer rw.unsolicited-response sensor.resource',
    'FKIE, after learning': 'rw.unsolicited-response',
    'MONT impact': 'rw.new-writer',
    'MONT lateral movement': '',
    'MONT impact, after learning': 'rw.new-writer rw.new-address',
    'conveyor, direct replay': 'rw.new-writer',
    'conveyor, direct replay, after learning': 'rw.new-writer comm.role-reversed',
    'conveyor, session replay': 'rw.new-writer',
    'conveyor, session replay, after learning': 'rw.new-writer comm.new-protocol rw.read-sweep',
    'conveyor, sorter': 'rw.new-writer',
    'conveyor, sorter beside the HMI': 'rw.new-writer',
    'S7-1200 download': 'plc.stop plc.mode-change plc.program-download plc.start rw.new-writer',
    'S7-1200 OB1 download': 'plc.program-download',
    'S7-1200 stop and start': 'plc.stop plc.mode-change plc.start seg.internet-egress',
    'Lemay, characterisation': 'comm.role-reversed proto.exception-burst rw.read-sweep',
    'Lemay, exploit': 'comm.new-service access.controller-web access.weak-protection',
    'Lemay, moved files': 'comm.new-service comm.new-protocol net.rogue-infrastructure access.weak-protection',
}
MEDIUM = 5
# of these the story is more than one: the file moves lie beside browsing of the Windows hosts
SEVERAL = {'Lemay, moved files'}
# one cause, told without a first contact: no story is needed
ALONE = {'FKIE, after learning', 'MONT impact, after learning'}


def normal_of(capture, out):
    """The packets that the labels beside a capture call normal: the plant's polling."""
    with open(capture[:-len('.pcap')] + '.labels.csv', encoding='utf-8') as file:
        is_attack = [line.strip().split(';')[1] == '1' for line in file if line.strip()]
    with open(capture, 'rb') as file:
        data = file.read()
    endian = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    at, number, parts = 24, 0, [data[:24]]
    while at + 16 <= len(data):
        size = 16 + struct.unpack(endian + 'IIII', data[at:at + 16])[2]
        if not is_attack[number]:
            parts.append(data[at:at + size])
        at += size
        number += 1
    with open(out, 'wb') as file:
        file.write(b''.join(parts))


def run(mode, capture, store):
    subprocess.run([SIGHTGLASS, 'run', '-m', mode, '-r', capture, '-s', store],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


def listed(store, *arguments):
    if not os.path.exists(store):
        return []
    out = subprocess.run([SIGHTGLASS, 'alerts', '-s', store, '--format', 'json', *arguments],
                         stdout=subprocess.PIPE, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def in_order(words, text):
    at = 0
    for word in words:
        at = text.find(word, at)
        if at < 0:
            return False
    return True


def judge(row):
    name, learned, capture, most, words, tactics = row
    capture = os.path.join(CAPTURES, capture)
    if not os.path.exists(capture):
        return name, None, []
    says = []
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, 'store.db')
        if learned == 'normal':
            normal = os.path.join(folder, 'normal.pcap')
            normal_of(capture, normal)
            run('learn', normal, store)
            copy = os.path.join(folder, 'copy.db')
            shutil.copy(store, copy)
            run('detect', normal, copy)
            noisy = {a['rule']['id'] for a in listed(copy) if a['event']['severity'] >= MEDIUM}
            if noisy:
                says.append(f'polling raises alerts after learning: {sorted(noisy)}')
        elif learned:
            run('learn', os.path.join(CAPTURES, learned), store)
        before = {a['event']['id'] for a in listed(store)}
        run('detect', capture, store)
        alerts = [a for a in listed(store) if a['event']['id'] not in before]
        incidents = listed(store, '--incidents')
        if not alerts or len(alerts) > most:
            says.append(f'{len(alerts)} alerts, of which at most {most} would be read')
        strange = {a['rule']['id'] for a in alerts} - set(FIRST_CONTACT.split()) - set(TYPES[name].split())
        if strange:
            says.append(f'alerts that do not belong to it: {sorted(strange)}')
        fitting = [i for i in incidents if in_order(words, i['title'])]
        if name in ALONE and not incidents:
            return name, says, incidents
        if len(fitting) != 1 or (len(incidents) != 1 and name not in SEVERAL):
            says.append('not one incident that tells it: ' + ' | '.join(i['title'] for i in incidents))
        for incident in incidents:
            times = [s['first_seen'] for s in incident['stages']]
            if times != sorted(times):
                says.append('stages are not in order of time')
            members = {a['event']['id'] for a in listed(store) if a['sightglass']['incident'] == incident['id']}
            if set(incident['alerts']) - members or incident['alerts_total'] != len(members):
                says.append('the incident and its alerts do not agree')
        for incident in fitting:
            for tactic in tactics:
                if tactic not in incident['tactics']:
                    says.append(f'{tactic} is not among {incident["tactics"]}')
        return name, says, incidents


def main():
    if not os.path.isdir(CAPTURES):
        print('skipped: ../shared/captures is not here')
        return 77
    failures, documents = 0, []
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, says, incidents in pool.map(judge, ROWS):
            documents += incidents
            if says is None:
                print(f'skipped: {name}')
            for line in says or []:
                failures += 1
                print(f'{name}: {line}')
    try:
        import jsonschema  # pylint: disable=import-outside-toplevel
        with open(os.path.join(SOURCE, 'alerts/incident.schema.json'), encoding='utf-8') as file:
            schema = json.load(file)
        jsonschema.Draft202012Validator.check_schema(schema)
        for document in documents:
            for error in jsonschema.Draft202012Validator(schema).iter_errors(document):
                failures += 1
                print(f"{document['id']}: {'/'.join(map(str, error.absolute_path))}: {error.message}")
        if documents and jsonschema.Draft202012Validator(schema).is_valid({**documents[0], 'title': ''}):
            failures += 1
            print('the schema lets pass a story without a title')
    except (ImportError, AttributeError):
        print('skipped: incidents against their schema, python3-jsonschema is not there or too old')
    print(f'{len(ROWS)} captures, {len(documents)} incidents, {failures} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
