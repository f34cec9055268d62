#!/usr/bin/env python3
"""What devices tell about themselves in the public captures is in the inventory, exactly as another reader of the same bytes shows it.

A row: capture, device (its IP or MAC address), what, value, and where the value can be seen without us: a field of tshark, a log of
the Zeek parsers' authors, or, where neither reads the protocol, the frame whose bytes hold it. `what` is a column of the inventory's
export (for a list: the value is one of it), or `facts.<kind>` for what only the events hold. Value None: the column stays empty."""
import concurrent.futures
import csv
import json
import os
import subprocess
import sys
import tempfile

CAPTURES = os.path.join(os.environ["SOURCE"], "..", "shared", "captures")
SKIP = 77

ROCKWELL = "Rockwell Automation/Allen-Bradley"
ROWS = [
    # ADS
    ("ads/addroute.pcapng", "192.168.1.8", "software_version", "Microsoft-WinCE/6.00 UPnP/1.0 UPnP-Device-Host/1.0", "http.server"),
    ("ads/beckoffaddroute.pcapng", "192.168.1.8", "hostname", "CX_0D7560", "bytes of frame 44"),
    ("ads/beckoffaddroute.pcapng", "192.168.1.8", "model", "CX1020-CE", "bytes of frame 114"),
    ("ads/beckoffaddroute.pcapng", "192.168.1.8", "protocol_names", "PLC Server 2.11.2103", "ams.ads_devicename, ads_version*"),
    ("ads/beckoffaddroute.pcapng", "192.168.1.8", "protocol_names", "I/O Server 2.11.2100", "ams.ads_devicename, ads_version*"),
    ("ads/beckoffaddroute.pcapng", "192.168.1.8", "protocol_names", "TwinCAT CE 2.11.2228", "ams.ads_devicename, ads_version*"),
    ("ads/addroute1.pcapng", "192.168.1.199", "description", "TI-VM server (Samba, Ubuntu)", "browser.comment"),
    # BACnet: what stands behind a router or a broadcast device is not the router
    ("bacnet/bacnet_ethernet_device.pcap", "00:0c:6e:b0:3c:15", "name", "SimpleServer", "bacapp.object_name"),
    ("bacnet/bacnet_ethernet_device.pcap", "00:0c:6e:b0:3c:15", "vendor", "ASHRAE", "bacapp vendor-name"),
    ("bacnet/bacnet_ethernet_device.pcap", "00:0c:6e:b0:3c:15", "model", "GNU", "bacapp model-name"),
    ("bacnet/bacnet_ethernet_device.pcap", "00:0c:6e:b0:3c:15", "firmware_version", "1.0", "bacapp firmware-revision"),
    ("bacnet/bacnet_ethernet_device.pcap", "00:0c:6e:b0:3c:15", "software_version", "1.0", "bacapp application-software-version"),
    ("bacnet/bacnet_ethernet_device.pcap", "192.168.0.5", "vendor", "Alerton / Honeywell", "bacapp.vendor_identifier, frame 9: no bacnet.snet"),
    ("bacnet/bacnet_ethernet_device.pcap", "192.168.0.5", "modules", "unit 13:61: device,61", "bacapp.instance_number, frame 7: bacnet.snet 13"),
    ("bacnet/bbmd_same_subnet.pcap", "192.168.0.24", "vendor", "Automated Logic Corporation", "bacapp.vendor_identifier, frame 9: not forwarded"),
    ("bacnet/bbmd_same_subnet.pcap", "192.168.0.105", "vendor", "BACnet Stack at SourceForge", "bacapp.vendor_identifier, frame 5"),
    ("bacnet/bbmd_same_subnet.pcap", "192.168.0.18", "vendor", "Alerton / Honeywell", "bacapp.vendor_identifier, frame 7"),
    ("bacnet/icsnpp_example.pcap", "172.20.32.100", "name", "PLC_93", "bacapp.object_name"),
    ("bacnet/icsnpp_example.pcap", "172.20.32.100", "model", "GHU-026", "bacapp model-name"),
    ("bacnet/icsnpp_example.pcap", "172.20.32.100", "firmware_version", "5.6.1", "bacapp firmware-revision"),
    ("bacnet/icsnpp_example.pcap", "172.20.32.100", "software_version", "1.8.5", "bacapp application-software-version"),
    ("bacnet/icsnpp_example.pcap", "172.20.32.100", "location", "bay_3257", "bacapp location"),
    ("bacnet/icsnpp_error_reject_abort.pcap", "10.10.10.10", "modules", "unit 13:61: SYNERGY", "bacapp.object_name of an I-Have of device 61"),
    ("bacnet/icsnpp_error_reject_abort.pcap", "10.10.10.10", "vendor", "vendor 1337", "bacnet_discovery.log: Unknown Vendor-0x539"),
    ("bacnet/icsnpp_error_reject_abort.pcap", "10.10.10.10", "name", "device,101", "bacnet_discovery.log"),
    ("bacnet/icsnpp_segmented.pcap", "10.0.0.2", "name", "device,254", "bacnet_discovery.log"),
    ("bacnet/icsnpp_segmented.pcap", "10.0.0.2", "vendor", "Unitec Corporation", "bacnet_discovery.log"),
    ("bacnet/icsnpp_segmented.pcap", "10.0.0.1", "vendor", "Unitec Corporation", "bacapp.vendor_identifier"),
    ("bacnet/icsnpp_services.pcap", "192.168.0.24", "vendor", "Automated Logic Corporation", "bacapp.vendor_identifier 24, no bacnet.snet"),
    ("bacnet/icsnpp_services.pcap", "192.168.0.24", "model", None, "bacapp model-name is told with bacnet.snet 3 only"),
    # C12.22
    ("c1222/c1222_ident_service_tcp.pcap", "192.168.1.101", "facts.device_type", "1.3.6.1.4.1.33507", "c1222_identification_service.log"),
    ("c1222/c1222_ident_service_tcp.pcap", "192.168.1.101", "protocol_names", "C12.22 AP title 1.3.6.1.4.1.33507.1919.12345678.0",
     "c1222.calling_ap_title_abs of its answers"),
    ("c1222/c1222_ident_service_tcp.pcap", "192.168.1.101", "model", "C12.22 device class 1.3.6.1.4.1.33507", "c1222_identification_service.log"),
    ("c1222/c1222_reg_service_tcp.pcap", "192.168.100.124", "model", "C12.22 device class .1.33507", "c1222_dereg_reg_service.log"),
    ("c1222/c1222_reg_service_tcp.pcap", "192.168.100.124", "serial_number", "1.3.6.1.4.1.33507", "c1222_dereg_reg_service.log"),
    # EtherNet/IP, CIP
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "vendor", ROCKWELL, "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "facts.device_type", "communications adapter", "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "firmware_version", "4.3", "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "serial_number", "00524d8e", "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "model", "1756-ENBT/A", "cip_identity.log"),
    ("enip/digitalbond_enip_test.pcap", "10.1.1.164", "vendor", ROCKWELL, "enip.lir.vendor 0x0001"),
    ("enip/digitalbond_enip_test.pcap", "10.1.1.164", "model", "1756-ENBT/A", "enip.lir.name"),
    ("enip/digitalbond_enip_test.pcap", "10.1.1.164", "order_number", "1756-ENBT/A", "enip.lir.name"),
    ("enip/digitalbond_enip_test.pcap", "10.1.1.164", "serial_number", "00524d8e", "enip.lir.serial"),
    ("enip/digitalbond_enip_test.pcap", "10.1.1.164", "firmware_version", "4.3", "enip.lir.revision"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "vendor", ROCKWELL, "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "model", "1756-ENBT/A", "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "serial_number", "00524d8e", "cip_identity.log"),
    ("enip/icsnpp_enip_cip_example.pcap", "10.1.1.164", "firmware_version", "4.3", "cip_identity.log"),
    ("enip/lsw_enip.pcap", "192.168.166.120", "model", "1756-L61/B LOGIX5561", "enip.lir.name"),
    ("enip/lsw_enip.pcap", "192.168.166.120", "serial_number", "006c061a", "enip.lir.serial"),
    ("enip/lsw_enip.pcap", "192.168.166.120", "firmware_version", "20.11", "enip.lir.revision"),
    ("enip/suricata_enip_test1.pcap", "172.25.23.2", "serial_number", "00524d8e", "enip.lir.serial"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "model", "1756-ENBT/A", "enip.lir.name"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "serial_number", "0051aec3", "enip.lir.serial"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "firmware_version", "4.7", "enip.lir.revision"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "modules", "unit 1/0: 1756-L61/B LOGIX5561", "cip.id.product_name"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "modules", "unit 1/2: MVI56 ProSoft Technology, Inc.", "cip.id.product_name"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "facts.serial_number", "0000ad77", "cip.id.serial_number"),
    ("enip/cl5000_ip_address_change.pcap", "192.168.10.120", "facts.vendor", "ProSoft Technology", "cip.id.vendor_id 0x0135"),
    ("enip/cl5000_software_download.pcap", "192.168.10.120", "model", "1756-L61/B LOGIX5561", "cip.id.product_name"),
    ("enip/cl5000_software_download.pcap", "192.168.10.120", "serial_number", "0051823f", "cip.id.serial_number"),
    ("enip/cl5000_software_download.pcap", "192.168.10.120", "firmware_version", "16.20", "cip.id.major_rev, minor_rev"),
    ("enip/lsw_cip.pcap", "00:1d:9c:c7:b0:70", "model", "1756-L71/B LOGIX5571", "cip.id.product_name"),
    ("enip/lsw_cip.pcap", "00:1d:9c:c7:b0:70", "serial_number", "00af7b1b", "cip.id.serial_number"),
    ("enip/lsw_cip.pcap", "00:1d:9c:c7:b0:70", "firmware_version", "20.55", "cip.id.major_rev, minor_rev"),
    # EtherCAT: the bus's slaves are modules of the master, their products not its own
    ("ethercat/wireshark_ethercat.pcap", "02:14:4f:23:98:cf", "modules", "unit 4098: 0x07d43052", "ecat.data after a SII read of word 0x0a"),
    ("ethercat/wireshark_ethercat.pcap", "02:14:4f:23:98:cf", "modules", "unit 4096: 0x044c2c52", "ecat.data after a SII read of word 0x0a"),
    ("ethercat/wireshark_ethercat.pcap", "02:14:4f:23:98:cf", "model", None, "no field tells the master's"),
    # FINS
    ("fins/emre_omron2.pcap", "10.4.14.102", "model", "A" * 20, "omron.controller.model"),
    ("fins/emre_omron2.pcap", "10.4.14.102", "firmware_version", "B" * 20, "omron.controller.version"),
    ("fins/emre_omron1.pcap", "10.130.130.130", "name", "nameset1", "bytes of frame 91"),
    # HART-IP
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "name", "wihartgw", "hart_ip.pt.long_tag"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "vendor", "Rosemount", "hart_ip_universal_commands.log"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "serial_number", "0000d2", "Device ID: 0000d2"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "firmware_version", "4", "Device Revision: 4"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "software_version", "1", "Device Software Revision: 1"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "hardware_version", "1", "hart_ip_universal_commands.log"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "facts.device_type", "HART 0x264e", "Expanded Device Type: 0x264e"),
    ("hart-ip/digitalbond_hart_ip.pcapng", "192.168.0.10", "model", "WirelessHART gateway", "hart_ip_universal_commands.log"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "model", "HART-IP process automation device", "hart_ip_universal_commands.log"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "asset_class", "sensor-actuator", "the same"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "vendor", "FieldComm Group", "hart_ip_universal_commands.log"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "serial_number", "95266f", "hart_ip_universal_commands.log: 9774703"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "firmware_version", "2", "hart_ip_universal_commands.log"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "software_version", "50", "hart_ip_universal_commands.log"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "hardware_version", "9", "hart_ip_universal_commands.log"),
    ("hart-ip/icsnpp_all_types_and_commands.pcapng", "10.9.0.117", "name", "b8-27-eb-95-26-6f", "hart_ip.pt.long_tag"),
    # HTTP, SSH, MQTT
    ("it/eternalblue_success.pcap", "192.168.198.203", "os", "Windows 7 Enterprise 7601 Service Pack 1", "smb.native_os"),
    ("it/eternalblue_success.pcap", "192.168.198.204", "os", "Windows 2000 2195", "smb.native_os"),
    ("it/eternalblue_success.pcap", "192.168.198.203", "hostname", "IE11WIN7", "smb.server"),
    ("it/ndpi_smbv1.pcap", "10.128.0.243", "hostname", "JOHN-PC", "smb.server"),
    ("modbus/lemay_characterization.pcap", "192.168.1.104", "os", "Windows 2002 Service Pack 3 2600", "smb.native_os"),
    ("it/ndpi_smbv1.pcap", "10.128.0.243", "os", "Windows 7 Ultimate 7601 Service Pack 1", "smb.native_os"),
    ("it/zeek_dhcp.pcap", "90:b1:1c:99:49:29", "hostname", "btest.is.cool", "dhcp.option.hostname"),
    ("it/http_google.pcapng", "74.125.95.104", "description", "gws", "http.server"),
    ("it/ndpi_ssh.pcapng", "172.16.238.168", "software_version", "OpenSSH_5.3", "ssh.protocol"),
    ("mqtt/wireshark_mqtt.pcap", "10.0.1.4", "description", "paho/DDE4DDAF4108D3E363", "mqtt.clientid, the last"),
    # LLDP, CDP
    ("l2/lldp_detailed.pcap", "00:01:30:f9:ad:a0", "hostname", "Summit300-48", "lldp.tlv.system.name"),
    ("l2/tcpdump_lldp_mudurl.pcap", "00:23:54:c2:57:02", "hostname", "upstairs.ofcourseimright.com", "lldp.tlv.system.name"),
    ("l2/lldp_and_cdp.pcap", "00:19:2f:a7:b2:8d", "model", "WS-C3560G-24PS", "cdp.platform"),
    ("l2/tcpdump_3560_cdp.pcap", "00:19:06:ea:b8:85", "model", "WS-C3560G-24PS", "cdp.platform"),
    ("enip/cl5000_firmware_change_failure.pcap", "00:1e:f6:73:59:81", "hostname", "Ns5gt", "cdp.deviceid"),
    ("goose/robidev_rgoose2.pcapng", "00:d7:8f:63:37:05", "model", "IE-4010-16S12P", "cdp.platform"),
    ("goose/robidev_rgoose2.pcapng", "00:d7:8f:63:37:05", "software_version", "15.2(6)E0a", "lldp.tlv.system.desc"),
    ("profinet/icsnpp_io_cm.pcapng", "192.168.2.11", "safety", "yes", "F-parameters in record 0x80 of slot 2"),
    ("profinet/lsw_sinec_h1.pcap", "0c:12:62:bf:2e:94", "name", "ZXR10", "lldp.tlv.system.name"),
    ("s7comm-plus/s71500-change.pcapng", "ac:64:17:5f:fa:42", "model", "CPU 1515-2 PN", "lldp.tlv.system.desc"),
    ("s7comm-plus/s71500-change.pcapng", "ac:64:17:5f:fa:42", "order_number", "6ES7 515-2AM01-0AB0", "lldp.tlv.system.desc"),
    ("s7comm-plus/s71500-change.pcapng", "ac:64:17:5f:fa:42", "firmware_version", "V2.6.0", "lldp.tlv.system.desc"),
    ("s7comm-plus/s71500-change.pcapng", "ac:64:17:5f:fa:42", "hardware_version", "3", "lldp.tlv.system.desc"),
    ("s7comm-plus/s71200_software_download.pcapng", "c4:34:6b:56:a1:7b", "hostname", "TIA-MUHPC", "lldp.tlv.system.name"),
    ("s7comm/conveyor_direct_replay.pcap", "18:03:73:d8:e0:b0", "hostname", "SCADA-PC-060839", "lldp.tlv.system.name"),
    ("s7comm/conveyor_direct_replay.pcap", "18:03:73:d8:e0:b0", "description", "Dell Inc. OptiPlex 990,01,G22XB2S + HMI", "lldp.tlv.system.desc"),
    # MELSEC
    ("melsec/melsecq_udp.pcapng", "60.249.15.235", "model", "Q03UDECPU", "bytes of frame 3"),
    ("melsec/melsoft_UDP_clean_2.pcap", "192.168.3.250", "model", "FX5U-32MT/ES", "bytes of frame 6"),
    # MMS
    ("mms/piccolo.pcap", "10.10.0.30", "vendor", "INFO TECH", "mms.vendorName"),
    ("mms/piccolo.pcap", "10.10.0.30", "model", "S61850 for PC", "mms.modelName"),
    ("mms/piccolo.pcap", "10.10.0.30", "firmware_version", "0.0.1", "mms.revision"),
    ("mms/pcapr_8d7c7db0.pcap", "10.101.1.3", "vendor", "AREVA T&D Corporation", "mms.vendorName"),
    ("mms/pcapr_8d7c7db0.pcap", "10.101.1.3", "model", "e-terracomm", "mms.modelName"),
    ("mms/pcapr_8d7c7db0.pcap", "10.101.1.3", "firmware_version", "2.3.1", "mms.revision"),
    ("mms/emre_siemens.pcapng", "192.168.1.200", "protocol_names", "IED_H02PROT", "mms.Identifier of the domains"),
    ("mms/emre_siemens.pcapng", "192.168.1.200", "protocol_names", "IED_H02EXT", "mms.Identifier of the domains"),
    # Modbus
    ("modbus/icsnpp_example.pcap", "127.0.0.1", "vendor", "Zeek Modbus Test", "modbus.object_str_value of VendorName"),
    ("modbus/icsnpp_example.pcap", "127.0.0.1", "order_number", "Protocol Parsing is fun!", "modbus.object_str_value of ProductCode"),
    ("modbus/icsnpp_example.pcap", "127.0.0.1", "firmware_version", "1.2.3.6", "modbus.object_str_value of MajorMinorRevision"),
    ("modbus/lsw_report_slave_id.pcap", "10.0.0.3", "model", "Wingpath Limited", "modbus.data: 1200ff, then text"),
    ("modbus/lsw_report_slave_id.pcap", "10.0.0.3", "operating_mode", "run", "modbus.data: run indicator ff"),
    # OPC UA
    ("opcua/icsnpp_cs_encrypted.pcapng", "::1", "name", "open62541-based OPC UA Application", "ApplicationName"),
    ("opcua/icsnpp_cs_encrypted.pcapng", "::1", "description", "http://open62541.org", "ProductUri"),
    ("opcua/icsnpp_cs_encrypted.pcapng", "::1", "facts.url", "urn:open62541.server.application", "ApplicationUri"),
    ("opcua/icsnpp_opcua_with-gap.pcap", "192.168.11.33", "protocol_names", "SiLab OPC UA Server-Client", "ApplicationName"),
    ("opcua/icsnpp_opcua_with-gap.pcap", "192.168.11.33", "description", "urn:FraunhoferIOSB:SiLabUAServer:Client", "ProductUri"),
    ("opcua/icsnpp_opcua_with-gap.pcap", "192.168.11.33", "protocol_names", "urn:MES::FraunhoferIOSB:SiLab UA-Client", "ApplicationUri"),
    ("opcua/wireshark_opcua_method.pcap", "192.168.41.212", "name", "UA StackTest Server (AnsiC/2048)", "ApplicationName"),
    # PC WORX, ProConOS, Fox, POWERLINK, ROC Plus
    ("other-ot/pcworx_info.pcap", "190.5.228.74", "model", "ILC 131 ETH", "bytes of frame 15"),
    ("other-ot/pcworx_info.pcap", "190.5.228.74", "order_number", "2700973", "bytes of frame 15"),
    ("other-ot/pcworx_info.pcap", "190.5.228.74", "firmware_version", "4.42", "bytes of frame 15"),
    ("other-ot/proconos_stop_start.pcap", "192.168.0.16", "model", "ILC 191 ETH 2TX", "bytes of frame 4"),
    ("other-ot/digitalbond_fox_info.pcap", "106.68.88.119", "name", "Legion_HQ_V4", "bytes of frame 6"),
    ("other-ot/digitalbond_fox_info.pcap", "106.68.88.119", "serial_number", "Qnx-NPM6-0000-1490-C30C", "bytes of frame 6"),
    ("other-ot/digitalbond_fox_info.pcap", "106.68.88.119", "software_version", "3.5.41.1", "bytes of frame 6"),
    ("powerlink/emre_epl.pcap", "192.168.100.32", "model", "SYS TEC electronic EPL V2 Stack", "bytes of frame 42"),
    ("roc-plus/all_opcodes_tcp.pcap", "192.168.1.200", "model", "ROC800", "roc_plus_sys_cfg.log"),
    ("roc-plus/all_opcodes_tcp.pcap", "192.168.1.200", "hardware_version", "Series 2", "roc_plus_sys_cfg.log"),
    ("roc-plus/all_opcodes_tcp.pcap", "192.168.1.200", "operating_mode", "run", "roc_plus_sys_cfg.log"),
    # PROFINET: an address that only DCP tells is the device's
    ("profinet/change_ip_using_dcp.pcap", "192.168.0.6", "name", "X208-BORD", "pn_dcp.suboption_device_nameofstation"),
    ("profinet/change_ip_using_dcp.pcap", "192.168.0.6", "vendor", "Siemens", "pn_dcp.suboption_vendor_id 0x002a"),
    ("profinet/change_ip_using_dcp.pcap", "192.168.0.6", "model", "INC", "pn_dcp.suboption_device_typeofstation"),
    ("profinet/icsnpp_mixed_1.pcap", "192.168.1.2", "name", "versamax-pns11", "pn_dcp.suboption_device_nameofstation"),
    ("profinet/icsnpp_mixed_1.pcap", "192.168.1.2", "model", "IC200PNS001", "pn_dcp.suboption_device_typeofstation"),
    ("profinet/icsnpp_mixed_1.pcap", "192.168.1.2", "vendor", "0x015a", "pn_dcp.suboption_vendor_id"),
    ("profinet/mehner_identify.pcap", "ac:64:17:21:35:cf", "name", "et200sp", "pn_dcp.suboption_device_nameofstation"),
    ("profinet/mehner_identify.pcap", "ac:64:17:21:35:cf", "model", "ET200SP", "pn_dcp.suboption_device_typeofstation"),
    ("profinet/mehner_identify.pcap", "ac:64:17:21:35:cf", "ip", "192.168.1.14", "pn_dcp.suboption_ip_ip"),
    ("profinet/mehner_identify.pcap", "ac:64:17:1f:a9:c5", "name", "cpu1500.profinet-schnittstellexb19f01", "pn_dcp.suboption_device_nameofstation"),
    ("profinet/mehner_identify.pcap", "ac:64:17:1f:a9:c5", "model", "S7-1500", "pn_dcp.suboption_device_typeofstation"),
    ("profinet/mehner_identify.pcap", "ac:64:17:1f:a9:c5", "ip", "192.168.1.1", "pn_dcp.suboption_ip_ip"),
    ("profinet/wireshark_bug.pcap", "00:02:e3:17:c7:50", "name", "%n%n%n ", "pn_dcp.suboption_device_nameofstation"),
    ("profinet/wireshark_bug.pcap", "00:02:e3:17:c7:50", "model", "S7-300EC", "pn_dcp.suboption_device_typeofstation"),
    ("profinet/icsnpp_device.pcapng", "192.168.1.3", "name", "pc-worx-rt-basic-6d-d3-43", "bytes of frame 1"),
    ("profinet/icsnpp_io_cm.pcapng", "10.9.0.117", "name", "rt-labs-dev", "bytes of frame 746"),
    ("profinet/icsnpp_io_cm.pcapng", "192.168.0.126", "modules", "unit 9.1: module 0x002af340, submodule 0xf0000000",
     "pn_io.module_ident_number of a Connect"),
    ("profinet/icsnpp_io_cm.pcapng", "140.140.60.50", "modules", "unit 1.1000: module 0x00016301, submodule 0x10000004",
     "pn_io.module_ident_number of a Connect"),
    ("profinet/lsw_sinec_h1.pcap", "192.9.204.120", "software_version", "Wireless N Router WR745N, UPnP/1.0", "http.server"),
    # S7comm
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "name", "S7300/ET200M station_1", "Name of the PLC"),
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "protocol_names", "PLC_1", "Name of the module"),
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "order_number", "6ES7 315-2EH14-0AB0", "MlfB"),
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "serial_number", "S C-B1U393142011", "Serialn"),
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "hardware_version", "3", "Ausbg"),
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "firmware_version", "V3.2.7", "s7comm_read_szl.log"),
    ("s7comm/snap7_s300_everything.pcap", "134.217.61.211", "facts.card_serial_number", "MMC 4A1AC019", "Sn_mc/mmc"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "slot", "1", "cotp.dst-tsap 0x0101"),
    ("s7comm/digitalbond_s7_test.pcap", "192.168.10.90", "rack", "0", "cotp.dst-tsap 0x0102"),
    ("s7comm/digitalbond_s7_test.pcap", "192.168.10.90", "slot", "2", "cotp.dst-tsap 0x0102"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "name", "SNAP7-SERVER", "s7comm_known_devices.log"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "model", "CPU 315-2 PN/DP", "s7comm_known_devices.log"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "order_number", "6ES7 315-2EH14-0AB0", "s7comm_known_devices.log"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "serial_number", "S C-C2UR28922012", "s7comm_known_devices.log"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "hardware_version", "4", "Ausbg"),
    ("s7comm/icsnpp_s7ident.pcap", "172.17.0.2", "facts.card_serial_number", "MMC 267FF11F", "Sn_mc/mmc"),
    ("s7comm/digitalbond_s7_test.pcap", "192.168.10.90", "order_number", "6ES7 312-5AC02-0AB0", "MlfB"),
    ("s7comm/digitalbond_s7_test.pcap", "192.168.10.90", "hardware_version", "1", "Ausbg"),
    ("s7comm/tia_s300_goOnline.pcap", "134.217.61.211", "serial_number", "S C-B1U393142011", "Serialn"),
    # S7comm-plus
    ("s7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap", "192.168.1.191", "order_number", "6ES7 214-1HE30-0XB0", "bytes of frame 8"),
    ("s7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap", "192.168.1.191", "firmware_version", "V2.2", "bytes of frame 8"),
    ("s7comm-plus/S7-1200-Uploading-OB1-TIAV12.pcap", "192.168.1.191", "serial_number", "SZVBDYXX017685", "bytes of frame 17"),
    ("s7comm-plus/S7-1511-opc-request-all-types.pcap", "192.168.25.139", "order_number", "6ES7 511-1AK00-0AB0", "bytes of frame 11"),
    ("s7comm-plus/s71500-normal.pcapng", "192.168.0.1", "order_number", "6ES7 515-2AM01-0AB0", "bytes of frame 39"),
    ("s7comm-plus/s71500-normal.pcapng", "192.168.0.1", "serial_number", "S C-L5CM77762019", "bytes of frame 53"),
    ("s7comm-plus/s71200_go_online.pcapng", "192.168.42.10", "order_number", "6ES7 215-1AG40-0XB0", "bytes of frame 116"),
    ("s7comm-plus/s71200_go_online.pcapng", "192.168.42.10", "serial_number", "S V-LOBM1432", "bytes of frame 166"),
    ("s7comm-plus/s71200_go_online.pcapng", "192.168.55.5", "hostname", "TIA-MUHPC", "bytes of frame 114"),
    # synchrophasor: one stream of four stations
    ("synchrophasor/C37.118_1PMU_TCP.pcap", "192.168.0.241", "name", "Blue PMU", "synphasor Station #1"),
    ("synchrophasor/C37.118_1PMU_UDP.pcap", "192.168.0.60", "name", "PMU1", "synphasor Station #1"),
    ("synchrophasor/C37.118_4in1PMU_TCP.pcap", "192.168.0.60", "name", "PMU1", "synphasor Station #1"),
    ("synchrophasor/C37.118_4in1PMU_TCP.pcap", "192.168.0.60", "protocol_names", "PMU2", "synphasor Station #2"),
    ("synchrophasor/C37.118_4in1PMU_TCP.pcap", "192.168.0.60", "protocol_names", "PMU4", "synphasor Station #4"),
    ("synchrophasor/c37118_1100_unclean.pcap", "192.168.0.18", "name", "Reporting1", "synphasor Station #1"),
    ("synchrophasor/c37118_1100_unclean.pcap", "192.168.0.1", "software_version", "UPnP/1.0 BLR-TX4S/1.0", "http.server"),
    # TriStation, UMAS
    ("tristation/nozomi_triton_malware_exec.pcapng", "192.168.1.2", "program_id", "NOZOMI", "bytes of frame 4"),
    ("umas/digitalbond_modicon_download.pcap", "192.168.63.253", "model", "140 CPU 311 10", "bytes of frame 6"),
    ("umas/digitalbond_modicon_download.pcap", "192.168.63.253", "firmware_version", "2.70", "bytes of frame 6: 0270"),
    ("umas/digitalbond_modicon_download.pcap", "192.168.63.253", "program_id", "Project", "bytes of frame 12"),
    ("umas/digitalbond_modicon_download.pcap", "192.168.63.100", "hostname", "USER-714E74F21B", "bytes of frame 49"),
]

# Folders of the manifest whose captures tell no identity, and why; a folder that is neither here nor in a row is a failure.
WITHOUT = {
    "bsap": "addresses only", "dnp3": "no capture reads group 0", "egd": "a producer's address only",
    "ff": "scripted bytes, no text", "ge-srtp": "status words only", "genisys": "addresses only", "goose": "names of data sets",
    "iec104": "the protocol has none", "knx": "searches without an answer", "l2": "tested with their dissectors",
    "malformed": "damaged on purpose", "mixed": "the same devices as in s7comm-plus", "opc-da": "DCOM without names", "sv": "streams only",
}


def of_capture(name, folder):
    """Lines of the inventory, and sets of (address, kind, value) that events tell of their senders."""
    path = os.path.join(folder, name.replace("/", "_"))
    done = subprocess.run([os.environ["SIGHTGLASS"], "run", "-r", os.path.join(CAPTURES, name), "-s", path + ".db", "-m", "detect",
                           "--events", path + ".events"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name}: exit {done.returncode}: {done.stderr[-500:]}")
    out = subprocess.run([os.environ["SIGHTGLASS"], "assets", "-s", path + ".db", "--format", "ndjson"], capture_output=True, text=True,
                         check=True)
    assets = [json.loads(line) for line in out.stdout.splitlines()]
    told = set()
    with open(path + ".events", encoding="utf-8") as events:
        for line in events:
            if '"facts"' not in line:
                continue
            event = json.loads(line)
            for kind, values in event["ot"]["facts"].items():
                for value in values if isinstance(values, list) else [values]:
                    told |= {(event["source"].get(key), kind, value) for key in ("ip", "mac")}
    return assets, told


def wrong_of(row, assets, told):
    name, device, what, value, source = row
    where = f"{name}, {device}, {what}: {value!r} ({source})"
    if what.startswith("facts."):
        return None if (device, what[6:], value) in told else f"{where}: no event tells it"
    found = [a for a in assets if device in [a.get("ip"), a.get("mac"), *a.get("ip_other", []), *a.get("mac_other", [])]]
    if len(found) != 1:
        return f"{where}: {len(found)} assets"
    got = found[0].get(what)
    is_right = value in got if isinstance(got, list) else got == value
    return None if is_right else f"{where}: the inventory has {got!r}"


def main():
    manifest = os.path.join(CAPTURES, "MANIFEST.tsv")
    if not os.path.exists(manifest):
        print("shared captures are not here: skipped")
        return SKIP
    names = sorted({row[0] for row in ROWS})
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(names, pool.map(lambda name: of_capture(name, folder), names)))
    wrong = [text for text in (wrong_of(row, *results[row[0]]) for row in ROWS) if text]
    with open(manifest, encoding="utf-8", newline="") as rows:
        folders = {row["file"].split("/")[0] for row in csv.DictReader(rows, delimiter="\t")}
    wrong += [f"{folder}: no row, and no reason for it" for folder in sorted(folders - {name.split("/")[0] for name in names} - set(WITHOUT))]
    print("\n".join(wrong) or f"{len(ROWS)} facts of {len(names)} captures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
