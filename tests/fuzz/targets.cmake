# Fuzz targets (see sightglass_fuzz in tests/CMakeLists.txt).

# fuzz_dissector_<name>: one per line of dissectors.def.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/dissectors/dissectors.def)
file(STRINGS ${CMAKE_SOURCE_DIR}/dissectors/dissectors.def dissector_lines REGEX "^DISSECTOR\\(")
# who may be handed the payload of a carrier
set(carried_by_cip pccc)
set(carried_by_enip cip pccc)
set(carried_by_http mqtt)
set(carried_by_modbus umas)
set(carried_by_modbus_rtu umas)
set(carried_by_smb dcerpc)
set(carried_by_tpkt s7comm s7comm_plus mms)
set(on_brink 1)
if(SIGHTGLASS_SANITIZE MATCHES "address")
    set(on_brink 0) # it sees more than a page that faults
endif()
if(SIGHTGLASS_FUZZ OR EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/replay.c)
    foreach(line ${dissector_lines})
        string(REGEX REPLACE "^DISSECTOR\\(([a-z0-9_]+)\\).*" "\\1" dissector "${line}")
        set(registry "LINE(${dissector})")
        foreach(carried ${carried_by_${dissector}})
            string(APPEND registry "LINE(${carried})")
        endforeach()
        sightglass_fuzz(fuzz_dissector_${dissector} fuzz/fuzz_dissector.c CORPUS ${dissector}
            DEFINE FUZZ_DISSECTOR=dissector_${dissector} FUZZ_ON_BRINK=${on_brink} FUZZ_REGISTRY=${registry} LINK sg_dissectors)
    endforeach()
endif()

sightglass_fuzz(fuzz_decode fuzz/fuzz_decode.c CORPUS decode LINK sg_sensor)
sightglass_fuzz(fuzz_capture_file fuzz/fuzz_capture_file.c CORPUS capture_file LINK sg_sensor)
sightglass_fuzz(fuzz_config fuzz/fuzz_config.c CORPUS config LINK sg_sensor_base)
sightglass_fuzz(fuzz_review fuzz/fuzz_review.c CORPUS review LINK sg_baseline)
sightglass_fuzz(fuzz_declared fuzz/fuzz_declared.c CORPUS declared LINK sg_baseline)
sightglass_fuzz(fuzz_indicators fuzz/fuzz_indicators.c CORPUS indicators LINK sg_rules)
sightglass_fuzz(fuzz_sigma fuzz/fuzz_sigma.c CORPUS sigma LINK sg_rules)
sightglass_fuzz(fuzz_policy fuzz/fuzz_policy.c CORPUS policy LINK sg_rules)
