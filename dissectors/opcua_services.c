/* opcua_services.c: what the services, methods and attributes of OPC UA mean.
 *
 * Spec: [4] OPC 10000-4 Services; [5] OPC 10000-5 Information Model
 *       [6] OPC 10000-6, A.3: the numbers; PROTOCOLS 12: the operations
 *       methods: [9] Alarms, [10] Programs, [12] Discovery, [14] PubSub, [18] Roles */
#include "opcua_services.h"

/* request, response, operation, name; by rising number */
static const struct ua_service services[] = {
    {410,                       413,   OP_DIAGNOSTICS,    "test_stack"                        },
    {416,                       419,   OP_DIAGNOSTICS,    "test_stack_ex"                     },
    {UA_FIND_SERVERS,           425,   OP_DISCOVER,       "find_servers"                      },
    {UA_GET_ENDPOINTS,          431,   OP_DISCOVER,       "get_endpoints"                     },
    {UA_REGISTER_SERVER,        440,   OP_CONFIG_CHANGE,  "register_server"                   },
    {UA_OPEN_SECURE_CHANNEL,    449,   OP_SESSION,        "open_secure_channel"               },
    {UA_CLOSE_SECURE_CHANNEL,   455,   OP_SESSION,        "close_secure_channel"              },
    {UA_CREATE_SESSION,         464,   OP_SESSION,        "create_session"                    },
    {UA_ACTIVATE_SESSION,       470,   OP_AUTH,           "activate_session"                  },
    {473,                       476,   OP_SESSION,        "close_session"                     },
    {479,                       482,   OP_SESSION,        "cancel"                            },
    {UA_ADD_NODES,              491,   OP_PROGRAM_MODIFY, "add_nodes"                         },
    {UA_ADD_REFERENCES,         497,   OP_PROGRAM_MODIFY, "add_references"                    },
    {UA_DELETE_NODES,           503,   OP_PROGRAM_DELETE, "delete_nodes"                      },
    {UA_DELETE_REFERENCES,      509,   OP_PROGRAM_DELETE, "delete_references"                 },
    {UA_BROWSE,                 530,   OP_BROWSE,         "browse"                            },
    {533,                       536,   OP_BROWSE,         "browse_next"                       },
    {UA_TRANSLATE_BROWSE_PATHS, 557,   OP_BROWSE,         "translate_browse_paths_to_node_ids"},
    {UA_REGISTER_NODES,         563,   OP_BROWSE,         "register_nodes"                    },
    {UA_UNREGISTER_NODES,       569,   OP_BROWSE,         "unregister_nodes"                  },
    {615,                       618,   OP_BROWSE,         "query_first"                       },
    {621,                       624,   OP_BROWSE,         "query_next"                        },
    {UA_READ,                   634,   OP_READ,           "read"                              },
    {UA_HISTORY_READ,           667,   OP_READ,           "history_read"                      },
    {UA_WRITE,                  676,   OP_WRITE,          "write"                             },
    {UA_HISTORY_UPDATE,         703,   OP_WRITE,          "history_update"                    },
    {UA_CALL,                   715,   OP_CONTROL,        "call"                              },
    {UA_CREATE_MONITORED_ITEMS, 754,   OP_SUBSCRIBE,      "create_monitored_items"            },
    {763,                       766,   OP_SUBSCRIBE,      "modify_monitored_items"            },
    {769,                       772,   OP_SUBSCRIBE,      "set_monitoring_mode"               },
    {775,                       778,   OP_SUBSCRIBE,      "set_triggering"                    },
    {781,                       784,   OP_SUBSCRIBE,      "delete_monitored_items"            },
    {UA_CREATE_SUBSCRIPTION,    790,   OP_SUBSCRIBE,      "create_subscription"               },
    {793,                       796,   OP_SUBSCRIBE,      "modify_subscription"               },
    {UA_SET_PUBLISHING_MODE,    802,   OP_SUBSCRIBE,      "set_publishing_mode"               },
    {UA_PUBLISH,                829,   OP_PUBLISH,        "publish"                           },
    {UA_REPUBLISH,              835,   OP_SESSION,        "republish"                         },
    {UA_TRANSFER_SUBSCRIPTIONS, 844,   OP_SESSION,        "transfer_subscriptions"            },
    {UA_DELETE_SUBSCRIPTIONS,   850,   OP_SUBSCRIBE,      "delete_subscriptions"              },
    {12208,                     12209, OP_DISCOVER,       "find_servers_on_network"           },
    {UA_REGISTER_SERVER_2,      12212, OP_CONFIG_CHANGE,  "register_server_2"                 },
};

static const struct ua_service fault = {UA_SERVICE_FAULT, UA_SERVICE_FAULT, OP_ERROR,
                                        "service_fault"};

const struct ua_service *ua_service_of(uint32_t id)
{
    if (id == UA_SERVICE_FAULT)
        return &fault;
    size_t low = 0, high = sizeof services / sizeof *services;
    while (low < high) { /* the last whose request is not above */
        size_t middle = (low + high) / 2;
        if (services[middle].request <= id)
            low = middle + 1;
        else
            high = middle;
    }
    const struct ua_service *s = low ? &services[low - 1] : NULL;
    return s && (s->request == id || s->response == id) ? s : NULL;
}

/* Of types and of the objects that every server has; vendors' methods have other namespaces. */
static const struct ua_method methods[] = {
  /* by rising number */
    {2426,  OP_START,         "start"                      }, /* program state machine, [10] */
    {2427,  OP_STOP,          "suspend"                    },
    {2428,  OP_START,         "resume"                     },
    {2429,  OP_STOP,          "halt"                       },
    {2430,  OP_RESTART,       "reset"                      },
    {2947,  OP_ALARM,         "unshelve"                   }, /* alarms and conditions, [9] */
    {2948,  OP_ALARM,         "one_shot_shelve"            },
    {2949,  OP_ALARM,         "timed_shelve"               },
    {3875,  OP_ALARM,         "condition_refresh"          },
    {9027,  OP_ALARM,         "enable_condition"           },
    {9028,  OP_ALARM,         "disable_condition"          },
    {9029,  OP_ALARM,         "add_comment"                },
    {9069,  OP_ALARM,         "respond"                    },
    {9111,  OP_ALARM,         "acknowledge"                },
    {9113,  OP_ALARM,         "confirm"                    },
    {11489, OP_DIAGNOSTICS,   "get_monitored_items"        }, /* server object, [5] */
    {11492, OP_DIAGNOSTICS,   "get_monitored_items"        },
    {11580, OP_FILE_READ,     "file_open"                  }, /* file type, [5] C; write by mode */
    {11583, OP_FILE_READ,     "file_close"                 },
    {11585, OP_FILE_READ,     "file_read"                  },
    {11588, OP_FILE_WRITE,    "file_write"                 },
    {11590, OP_FILE_READ,     "file_get_position"          },
    {11593, OP_FILE_READ,     "file_set_position"          },
    {12543, OP_FILE_READ,     "open_with_masks"            }, /* trust lists and certificates, [12] */
    {12546, OP_CONFIG_CHANGE, "close_and_update"           },
    {12548, OP_CONFIG_CHANGE, "add_certificate"            },
    {12550, OP_CONFIG_CHANGE, "remove_certificate"         },
    {12616, OP_CONFIG_CHANGE, "update_certificate"         },
    {12731, OP_CONFIG_CHANGE, "create_signing_request"     },
    {12734, OP_CONFIG_CHANGE, "apply_changes"              },
    {12737, OP_CONFIG_CHANGE, "create_signing_request"     },
    {12740, OP_CONFIG_CHANGE, "apply_changes"              },
    {12746, OP_SUBSCRIBE,     "set_subscription_durable"   },
    {12749, OP_SUBSCRIBE,     "set_subscription_durable"   },
    {12775, OP_DIAGNOSTICS,   "get_rejected_list"          },
    {12777, OP_DIAGNOSTICS,   "get_rejected_list"          },
    {12871, OP_SUBSCRIBE,     "resend_data"                },
    {12873, OP_SUBSCRIBE,     "resend_data"                },
    {12883, OP_RESTART,       "request_server_state_change"},
    {12886, OP_RESTART,       "request_server_state_change"},
    {12912, OP_ALARM,         "condition_refresh"          },
    {13387, OP_FILE_WRITE,    "create_directory"           }, /* directories, [5] C */
    {13390, OP_FILE_WRITE,    "create_file"                },
    {13393, OP_FILE_DELETE,   "delete_file"                },
    {13395, OP_FILE_WRITE,    "move_or_copy"               },
    {13737, OP_CONFIG_CHANGE, "update_certificate"         },
    {14645, OP_CONFIG_CHANGE, "enable_publishing"          }, /* [14] */
    {14646, OP_CONFIG_CHANGE, "disable_publishing"         },
    {15215, OP_AUTH,          "get_security_keys"          },
    {15624, OP_CONFIG_CHANGE, "add_identity"               }, /* roles, [18] */
    {15626, OP_CONFIG_CHANGE, "remove_identity"            },
    {15997, OP_CONFIG_CHANGE, "add_role"                   },
    {16000, OP_CONFIG_CHANGE, "remove_role"                },
    {16176, OP_CONFIG_CHANGE, "add_application"            },
    {16178, OP_CONFIG_CHANGE, "remove_application"         },
    {16180, OP_CONFIG_CHANGE, "add_endpoint"               },
    {16182, OP_CONFIG_CHANGE, "remove_endpoint"            },
    {16301, OP_CONFIG_CHANGE, "add_role"                   },
    {16304, OP_CONFIG_CHANGE, "remove_role"                },
    {16348, OP_FILE_WRITE,    "create_directory"           },
    {16351, OP_FILE_WRITE,    "create_file"                },
    {16354, OP_FILE_DELETE,   "delete_file"                },
    {16356, OP_FILE_WRITE,    "move_or_copy"               },
    {16402, OP_ALARM,         "silence"                    },
    {16403, OP_ALARM,         "suppress"                   },
    {17364, OP_AUTH,          "set_security_keys"          },
    {17366, OP_CONFIG_CHANGE, "add_connection"             },
    {17369, OP_CONFIG_CHANGE, "remove_connection"          },
    {17868, OP_ALARM,         "unsuppress"                 },
    {17869, OP_ALARM,         "remove_from_service"        },
    {17870, OP_ALARM,         "place_in_service"           },
    {18199, OP_ALARM,         "reset_alarm"                },
    {24269, OP_CONFIG_CHANGE, "add_user"                   }, /* users, [18] */
    {24271, OP_CONFIG_CHANGE, "modify_user"                },
    {24273, OP_CONFIG_CHANGE, "remove_user"                },
    {24275, OP_CONFIG_CHANGE, "change_password"            },
    {24304, OP_CONFIG_CHANGE, "add_user"                   },
    {24306, OP_CONFIG_CHANGE, "modify_user"                },
    {24308, OP_CONFIG_CHANGE, "remove_user"                },
    {24310, OP_CONFIG_CHANGE, "change_password"            },
    {25698, OP_CONFIG_CHANGE, "cancel_changes"             },
    {25699, OP_CONFIG_CHANGE, "reset_to_server_defaults"   },
    {25708, OP_CONFIG_CHANGE, "cancel_changes"             },
    {25709, OP_CONFIG_CHANGE, "reset_to_server_defaults"   },
};

const struct ua_method *ua_method_of(const struct ua_node_id *id)
{
    size_t low = 0, high = sizeof methods / sizeof *methods;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (ua_is_standard(id, methods[middle].id))
            return &methods[middle];
        if (methods[middle].id < id->number)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *ua_attribute_name(uint32_t attribute)
{
    static const char *const names[] = {/* [6] A.1 */
                                        NULL,
                                        "node_id",
                                        "node_class",
                                        "browse_name",
                                        "display_name",
                                        "description",
                                        "write_mask",
                                        "user_write_mask",
                                        "is_abstract",
                                        "symmetric",
                                        "inverse_name",
                                        "contains_no_loops",
                                        "event_notifier",
                                        "value",
                                        "data_type",
                                        "value_rank",
                                        "array_dimensions",
                                        "access_level",
                                        "user_access_level",
                                        "minimum_sampling_interval",
                                        "historizing",
                                        "executable",
                                        "user_executable",
                                        "data_type_definition",
                                        "role_permissions",
                                        "user_role_permissions",
                                        "access_restrictions",
                                        "access_level_ex"};
    bool is_known = attribute > 0 && attribute < sizeof names / sizeof *names;
    return is_known ? names[attribute] : "attribute";
}
