/* test_baseline.c: sequences of messages and what the learners say to them: each detection and its
 * quiet twin.
 *
 * Every row is learned in one run, saved, loaded into another run, and judged there. */
#include "scene.h"

#include <math.h>
#include <unistd.h>

#define HMI_DAY                                                                                    \
    "60* hmi>plc read 3 reg 100+10; 10* hmi>plc read 2 input 0+16; 40* hmi>plc write 6 reg 260 "   \
    "=20..35;"                                                                                     \
    "20* hmi>plc write 16 reg 270+3 =0,1,2; 2* hmi>plc identify 43;"
#define HIST_DAY "30* hist>plc read 3 reg 100+20;"
/* a block whose values change with every poll, for a minute */
#define POLLS "step 500; 60* hmi<plc read 3 reg 500+4 =0..50; step 1000;"

/* a stranger reads 32 pieces */
#define READ_AT(start)                                                                             \
    "eng>plc read 3 reg " #start "0+2; eng>plc read 3 reg " #start                                 \
    "3+2; eng>plc read 3 reg " #start "6+2; eng>plc read 3 reg " #start "8+1;"
#define MANY_READS                                                                                 \
    READ_AT(1) READ_AT(2) READ_AT(3) READ_AT(4) READ_AT(5) READ_AT(6) READ_AT(7) READ_AT(8)
/* what a device reports by itself, and what it tells a broker */
#define REPORTS   "step 500; 60* hmi<plc publish 13 point 500 =0..50; step 1000;"
#define TELEMETRY "step 500; 60* gw~broker publish 3 tag Flow =0..50; step 1000;"
/* a step, and how many messages */
#define GOOSE(pace) "protocol goose; bytes 100; step " pace "* ied~group publish 1 tag Trip =0;"
/* changes alone, and every now and then that there are none */
#define CHANGES                                                                                    \
    "protocol opcua; step 500; 30* hmi<plc publish 829 item 7 =0..50; hmi<plc publish 829; 30* "   \
    "hmi<plc publish 829 item 7 =0..50;"

/* a set point that is moved in small steps, up and down */
#define RAMP_UP                                                                                    \
    "hmi>plc write 6 reg 9 =20; hmi>plc write 6 reg 9 =22; hmi>plc write 6 reg 9 =24; hmi>plc "    \
    "write 6 reg 9 =26; hmi>plc write 6 reg 9 =28; hmi>plc write 6 reg 9 =30; hmi>plc write 6 "    \
    "reg 9 =32; hmi>plc write 6 reg 9 =34; hmi>plc write 6 reg 9 =36; hmi>plc write 6 reg 9 =38;"
#define RAMP                                                                                       \
    RAMP_UP "hmi>plc write 6 reg 9 =40; hmi>plc write 6 reg 9 =37; hmi>plc write 6 reg 9 =34;"     \
            "hmi>plc write 6 reg 9 =31; hmi>plc write 6 reg 9 =28; hmi>plc write 6 reg 9 =25;"     \
            "hmi>plc write 6 reg 9 =22;" RAMP_UP
#define QUICK "step 5; hmi>plc read 3 reg 1; step 995; hmi<plc read 3 reg 1 =1;"

/* two devices answer in turn, every two seconds */
#define TURN                                                                                       \
    "2* hmi<plc2 read 3 reg 1 =1; 2* hist<plc read 3 reg 1 =1; hmi>plc2 read 3 reg 1; hist>plc "   \
    "read 3 reg 1;"
#define UNANSWERED "8* hmi>plc2 read 3 reg 1; 2* hist<plc read 3 reg 1 =1;"
#define TWO_POLLED                                                                                 \
    TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN TURN

/* one client asks two devices, another one asks one of them */
#define TURN_OF_TWO                                                                                \
    "hmi>plc2 read 3 reg 1; 2* hmi<plc2 read 3 reg 1 =1; hmi>plc read 3 reg 1; 2* hmi<plc read 3 " \
    "reg 1 =1; hist>plc read 3 reg 1; hist<plc read 3 reg 1 =1;"
#define TWO_ASKED                                                                                  \
    TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO            \
        TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO        \
            TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO TURN_OF_TWO
#define BOTH_UNANSWERED                                                                            \
    "4* hmi>plc2 read 3 reg 1; 4* hmi>plc read 3 reg 1; 2* hist<plc read 3 reg 1 =1;"

/* a DNP3 master; it switches unsolicited reports off when it connects */
#define ASK                   " hmi>rtu read 1 point 1;"
#define UNSOLICITED_OFF       " alarms off; hmi>rtu subscribe 21; alarms on;"
#define UNSOLICITED_OFF_FIRST "times 6;" UNSOLICITED_OFF "40*" ASK " done hmi>rtu"

/* a machine that goes through its modes */
#define MODES                                                                                      \
    "3* hmi<plc read 3 reg 700 =0; 3* hmi<plc read 3 reg 700 =1; 3* hmi<plc read 3 reg 700 =4;"
#define COUNT(tens)                                                                                \
    "hmi<plc read 3 reg 700 =" #tens "1; hmi<plc read 3 reg 700 =" #tens                           \
    "3; hmi<plc read 3 reg 700 =" #tens "5; hmi<plc read 3 reg 700 =" #tens                        \
    "6; hmi<plc read 3 reg 700 =" #tens "9;"
/* noise on a way that leads upwards */
#define DRIFT(at)                                                                                  \
    "hmi<plc read 3 reg 700 =" #at "1; hmi<plc read 3 reg 700 =" #at                               \
    "0; hmi<plc read 3 reg 700 =" #at "2; hmi<plc read 3 reg 700 =" #at                            \
    "1; hmi<plc read 3 reg 700 =" #at "3;"
#define ECHO(value) "hmi>plc write 6 reg 9 =" #value "; 4* hmi<plc read 3 reg 9 =" #value ";"
/* a word of four lamps: bits 0, 1, 6 and 7 */
#define BITS                                                                                       \
    "hmi>plc write 6 reg 9 =0; hmi>plc write 6 reg 9 =1; hmi>plc write 6 reg 9 =3; hmi>plc write " \
    "6 reg 9 =67; hmi>plc write 6 reg 9 =66; hmi>plc write 6 reg 9 =64; hmi>plc write 6 reg 9 "    \
    "=192; hmi>plc write 6 reg 9 =193; hmi>plc write 6 reg 9 =129; hmi>plc write 6 reg 9 =128; "   \
    "hmi>plc write 6 reg 9 =130; hmi>plc write 6 reg 9 =2;"
#define JITTER                                                                                     \
    "step 700; 10* hmi<plc read 3 reg 1 =1; step 1500; 8* hmi<plc read 3 reg 1 =1; step 3000; 1* " \
    "hmi<plc read 3 reg 1 =1; step 800; 9* hmi<plc read 3 reg 1 =1;"
/* 4.0, 5.0 and 6.0 */
#define BYTES                                                                                      \
    "memory; 8* hmi>plc write 5 db 8+4 =64,128,0,0; 8* hmi>plc write 5 db 8+4 =64,160,0,0; 8* "    \
    "hmi>plc write 5 db 8+4 =64,192,0,0"
/* things of an edge node beside things without one */
#define UNITS                                                                                      \
    "unit unnamed; 9* hmi>broker write 3 tag Rate =1..9; unit node; 9* hmi>broker write 3 tag "    \
    "Dose =1..9"
/* two polls, and a command that is always selected before */
#define SBO                                                                                        \
    "hmi>rtu read 1 point 1; hmi>rtu read 2 point 1; hmi>rtu read 1 point 1; hmi>rtu control 3 "   \
    "point 5; hmi>rtu control 4 point 5 =1;"
/* the same polls, and commands at any time */
#define CLICKS                                                                                     \
    "30* hmi>rtu read 1 point 1; 3* hmi>rtu control 4 point 5 =1; hmi>rtu read 2 point 1; "        \
    "hmi>rtu read 1 point 1; hmi>rtu control 3 point 5; hmi>rtu control 4 point 5 =1;"

static const struct row {
    const char *shows, *learn, *then, *causes;
} rows[] = {
    {"the same again is quiet",                                HMI_DAY HIST_DAY,                                       HMI_DAY HIST_DAY,                                                                     ""                                   },
    {"an empty baseline tells a link once, not each function", "",
     "5* hmi>plc read 3 reg 1; hmi>plc identify 43; hmi>plc read 4 reg 1",                                                                                                                                   "comm.new-link"                      },
    {"a stranger that reads a little",                         HMI_DAY,
     "step 200; 9* eng>plc read 3 reg 100; 9* eng>plc read 3 reg 110; 9* eng>plc read 3 reg 120",                                                                                                            "comm.new-link"                      },
    {"a stranger that reads its way through",                  HMI_DAY,                                                "step 200;" MANY_READS,
     "comm.new-link; rw.read-sweep"                                                                                                                                                                                                               },
    {"a stranger that reads much in a long time",              HMI_DAY,                                                "step 9000;" MANY_READS,
     "comm.new-link"                                                                                                                                                                                                                              },
    {"a stranger that has listed it all",                      HMI_DAY,                                                "step 200; eng>plc browse 9;" MANY_READS,
     "comm.new-link; recon.browse"                                                                                                                                                                                                                },
    {"an empty baseline still tells a change",                 "",
     "hmi>plc read 3 reg 1; 3* hmi>plc write 6 reg 1 =1",                                                                                                                                                    "comm.new-link; rw.new-writer"       },
    {"two devices that never talked",                          HMI_DAY,                                                "eng>plc read 3 reg 100",                                                             "comm.new-link"                      },
    {"a known pair in the other direction is no new link",     HMI_DAY,                                                "plc>hmi session 1",                                                                  ""                                   },
    {"a stranger that writes",                                 HMI_DAY,                                                "eng>plc read 3 reg 100; eng>plc write 6 reg 260 =25",
     "comm.new-link; rw.new-writer"                                                                                                                                                                                                               },
    {"a stranger that asks who it is",                         HMI_DAY,                                                "eng>plc identify 43",
     "comm.new-link; recon.ot-identify"                                                                                                                                                                                                           },
    {"a reader that writes: one cause",                        HMI_DAY HIST_DAY,                                       "3* hist>plc write 6 reg 270 =1",
     "rw.new-writer"                                                                                                                                                                                                                              },
    {"a reader that reads goes on",                            HMI_DAY HIST_DAY,                                       "3* hist>plc read 3 reg 100+20",                                                      ""                                   },
    {"a writer's new function",                                HMI_DAY,                                                "hmi>plc write 15 coil 0+8 =1,1,1,1,1,1,1,1",
     "rw.new-function"                                                                                                                                                                                                                            },
    {"a writer's learned function",                            HMI_DAY,                                                "hmi>plc write 16 reg 270+3 =0,1,2",                                                  ""                                   },
    {"a reader's new function",                                HIST_DAY,                                               "hist>plc read 4 input 0",                                                            "rw.new-function"                    },
    {"an identity query by who asks by habit",                 HMI_DAY,                                                "hmi>plc identify 17",                                                                ""                                   },
    {"an identity query by who never did",                     HMI_DAY HIST_DAY,                                       "hist>plc identify 43",
     "recon.ot-identify"                                                                                                                                                                                                                          },
    {"a listing by who never did",                             HMI_DAY HIST_DAY,                                       "hist>plc browse 99",                                                                 "recon.browse"                       },
    {"opening a session is no news",                           HMI_DAY,                                                "hmi>plc session 77",                                                                 ""                                   },
    {"a stop is told by the rules, not here",                  HMI_DAY,                                                "hmi>plc stop 41",                                                                    ""                                   },
    {"a new register written",                                 HMI_DAY,                                                "2* hmi>plc write 6 reg 300 =1",                                                      "rw.new-address"                     },
    {"each new register written is a cause",                   HMI_DAY,
     "hmi>plc write 6 reg 300 =1; hmi>plc write 6 reg 301 =1",                                                                                                                                               "rw.new-address; rw.new-address"     },
    {"one register beyond a learned read",                     HMI_DAY,                                                "hmi>plc read 3 reg 100+11",                                                          "rw.new-address"                     },
    {"a part of a learned read",                               HMI_DAY,                                                "hmi>plc read 3 reg 105+5",                                                           ""                                   },
    {"new reads in an area are one cause",                     HMI_DAY,
     "hmi>plc read 3 reg 300; hmi>plc read 3 reg 400",                                                                                                                                                       "rw.new-address"                     },
    {"a tag never written",
     "9* hmi>plc write 77 tag Speed =1..9; 9* hmi>plc write 77 tag Temp =1..9",                                        "hmi>plc write 77 tag Torque =1",                                                     "rw.new-address"                     },
    {"a tag that is written by habit",                         "9* hmi>plc write 77 tag Speed =1..9",
     "hmi>plc write 77 tag Speed =2",                                                                                                                                                                        ""                                   },
    {"reading through the memory",                             HMI_DAY,
     "20* hmi>plc read 3 reg 1000 ; step 200; hmi>plc read 3 reg 2000+10; hmi>plc read 3 reg "
     "2010+10;"
     "hmi>plc read 3 reg 2020+10; hmi>plc read 3 reg 2030+10; hmi>plc read 3 reg 2040+10; hmi>plc "
     "read 3 reg 2050+10; hmi>plc read 3 reg 2060+10;"
     "hmi>plc read 3 reg 2070+10",                                                                                                                                                                           "rw.new-address; rw.read-sweep"      },
    {"a value far outside",                                    HMI_DAY,                                                "hmi>plc write 6 reg 260 =900",                                                       "rw.value-out-of-range"              },
    {"a value just outside is within the margin",              HMI_DAY,                                                "hmi>plc write 6 reg 260 =36",                                                        ""                                   },
    {"a value of few observations is not judged",              "4* hmi>plc write 6 reg 9 =1..4",
     "hmi>plc write 6 reg 9 =900",                                                                                                                                                                           ""                                   },
    {"a state that never was, between those that were",
     "40* hmi>plc write 6 reg 9 =1; 40* hmi>plc write 6 reg 9 =2;"
     "40* hmi>plc write 6 reg 9 =8",                                                                                   "hmi>plc write 6 reg 9 =4",                                                           "rw.value-out-of-range"              },
    {"a state that was",
     "40* hmi>plc write 6 reg 9 =1; 40* hmi>plc write 6 reg 9 =2; 40* hmi>plc write 6 reg 9 =8",                       "hmi>plc write 6 reg 9 =2",                                                           ""                                   },
    {"a value that was always the same",                       "40* hmi>plc write 6 reg 9 =50",
     "hmi>plc write 6 reg 9 =80",                                                                                                                                                                            "rw.value-out-of-range"              },
    {"a float far outside that is written as bytes",           BYTES,
     "memory; hmi>plc write 5 db 8+4 =66,112,0,0",                                                                                                                                                           "rw.value-out-of-range"              },
    {"a float between those that were, written as bytes",      BYTES,
     "memory; hmi>plc write 5 db 8+4 =64,150,0,0",                                                                                                                                                           ""                                   },
    {"a word far outside that is written as bytes",
     "memory; 9* hmi>plc write 5 db 2+2 =0,10; 9* hmi>plc write 5 db 2+2 =0,25",                                       "memory; hmi>plc write 5 db 2+2 =3,132",                                              "rw.value-out-of-range"              },
    {"what is known without a unit, on an old connection",     UNITS,
     "unit unnamed midway; hmi>broker write 3 tag Rate =5",                                                                                                                                                  ""                                   },
    {"a new thing without a unit, on an old connection",       UNITS,
     "unit unnamed midway; hmi>broker write 3 tag Mode =5",                                                                                                                                                  "rw.new-address"                     },
    {"few observations have a wide margin",                    "9* hmi>plc write 6 reg 9 =20..28",
     "hmi>plc write 6 reg 9 =14",                                                                                                                                                                            ""                                   },
    {"a value far outside of few observations",                "9* hmi>plc write 6 reg 9 =20..28",
     "hmi>plc write 6 reg 9 =60",                                                                                                                                                                            "rw.value-out-of-range"              },
    {"values are learned for each writer",                     HMI_DAY "40* eng>plc write 6 reg 260 =500..540;",
     "eng>plc write 6 reg 260 =520",                                                                                                                                                                         ""                                   },
    {"many writes in a short time",                            "step 5000; 30* hmi>plc write 6 reg 9 =5",
     "step 100; 40* hmi>plc write 6 reg 9 =5",                                                                                                                                                               "rw.write-burst"                     },
    {"as many writes as ever",                                 "step 100; 100* hmi>plc write 6 reg 9 =5",
     "step 100; 100* hmi>plc write 6 reg 9 =5",                                                                                                                                                              ""                                   },
    {"a client that floods a broker",                          "step 1000; 60* gw~broker publish 3 tag Flow =1..9",
     "step 5; 900* gw~broker publish 3 tag Flow =1..9",                                                                                                                                                      "rw.write-burst"                     },
    {"a gateway that sends what it has kept",                  "step 1000; 60* gw~broker publish 3 tag Flow =1..9",
     "step 5; 400* gw~broker publish 3 tag Flow =1..9",                                                                                                                                                      ""                                   },
    {"a busy client of a broker",                              "step 10; 900* gw~broker publish 3 tag Flow =1..9",
     "step 10; 900* gw~broker publish 3 tag Flow =1..9",                                                                                                                                                     ""                                   },
    {"a stranger that floods a device with requests",          "step 1000; 60* hmi>plc read 3 reg 9",
     "step 5; 1100* eng>plc read 3 reg 9",                                                                                                                                                                   "comm.new-link; net.flood"           },
    {"a stranger that reads all of a device",                  "step 1000; 60* hmi>plc read 3 reg 9",
     "step 20; 1100* eng>plc read 3 reg 9",                                                                                                                                                                  "comm.new-link"                      },
    {"a client that was always busy",                          "step 5; 900* hmi>plc read 3 reg 9",
     "step 5; 1900* hmi>plc read 3 reg 9",                                                                                                                                                                   ""                                   },
    {"a client that floods its device with requests",          "step 1000; 60* hmi>plc read 3 reg 9",
     "step 2; 4900* hmi>plc read 3 reg 9",                                                                                                                                                                   "net.flood"                          },
    {"a publisher whose messages flood its group",             GOOSE("1000; 400"),                                     GOOSE("5; 1100"),
     "net.flood"                                                                                                                                                                                                                                  },
    {"a burst is not told as volume, too",
     "bytes 100; step 1000; 400* hmi<plc read 3 reg 1 =1; 400* hmi>plc write 6 reg 9 =5",                              "bytes 3000; step 5; 900* hmi>plc write 6 reg 9 =5",                                  "rw.write-burst"                     },
    {"a publisher that repeats quickly for a while",           GOOSE("1000; 400"),
     GOOSE("5; 900") GOOSE("1000; 60"),                                                                                                                                                                      ""                                   },
    {"a stranger that floods a broker",                        "step 1000; 60* gw~broker publish 3 tag Flow =1..9",
     "step 5; 900* eng~broker publish 3 tag Flow =1..9",                                                                                                                                                     "comm.new-link; rw.write-burst"      },
    {"an output that is toggled",
     "step 5000; 40* hmi>plc control 5 coil 1 =0..1; step 100; 40* hmi>plc write 6 reg 9 =5",                          "step 500; 20* hmi>plc control 5 coil 1 =0..1",                                       "rw.write-burst"                     },
    {"polled values that stop changing",                       POLLS,
     "step 500; 10* hmi<plc read 3 reg 500+4 =0..50; 40* hmi<plc read 3 reg 500+4 =7,7,7,7",                                                                                                                 "rw.value-frozen"                    },
    {"reported values that stop changing",                     REPORTS,
     "step 500; 10* hmi<plc publish 13 point 500 =0..50; 40* hmi<plc publish 13 point 500 =7",                                                                                                               "rw.value-frozen"                    },
    {"reported values that go on changing",                    REPORTS,                                                REPORTS,                                                                              ""                                   },
    {"reports that come seldom",                               REPORTS,
     "step 500; 10* hmi<plc publish 13 point 500 =0..50; step 5000; 9* hmi<plc publish 13 point "
     "500 =0..50",                                                                                                                                                                                           ""                                   },
    {"a reported value that leaves its range",                 "times 12; 20* hmi<plc publish 13 point 500 =1..20",
     "9* hmi<plc publish 13 point 500 =1..20; 3* hmi<plc publish 13 point 500 =900",                                                                                                                         "rw.value-out-of-range"              },
    {"what a device tells a broker stops changing",            TELEMETRY,
     "step 500; 10* gw~broker publish 3 tag Flow =0..50; 40* gw~broker publish 3 tag Flow =7",                                                                                                               "rw.value-frozen"                    },
    {"what a broker passes on is its device's",                TELEMETRY,
     "step 500; 10* gw~broker publish 3 tag Flow =0..50; 10* gw~broker publish 3 tag Flow =7; 9* "
     "gw~broker publish 3 tag Flow =0..50",                                                                                                                                                                  ""                                   },
    {"changes that are reported no more",                      CHANGES,                                                CHANGES "step 2000; 6* hmi<plc publish 829",
     "rw.value-frozen"                                                                                                                                                                                                                            },
    {"a pause between changes",                                CHANGES,                                                CHANGES "3* hmi<plc publish 829;" CHANGES,                                            ""                                   },
    {"polled values that go on changing",                      POLLS,                                                  POLLS,                                                                                ""                                   },
    {"polled values that never changed much",                  "step 500; 60* hmi<plc read 3 reg 500+4 =7,7,7,7",
     "step 500; 60* hmi<plc read 3 reg 500+4 =7,7,7,7",                                                                                                                                                      ""                                   },
    {"polls that stop are not frozen values",                  POLLS,
     "step 500; 5* hmi<plc read 3 reg 500+4 =0..50; wait 3000; 3* hmi<plc read 3 reg 500+4 "
     "=7,7,7,7",                                                                                                                                                                                             ""                                   },
    {"a device called for each request answers no more",       "step 3000; links hmi>plc 60",
     "step 3000; links hmi>plc 4; calls hmi>plc 8",                                                                                                                                                          "ops.unresponsive"                   },
    {"a device called for each request is busy now and then",  "step 3000; links hmi>plc 60",
     "times 9; step 3000; links hmi>plc 4; calls hmi>plc 2;",                                                                                                                                                ""                                   },
    {"calls that were never answered in this run",             "step 3000; links hmi>plc 60",
     "step 3000; calls hmi>plc 20",                                                                                                                                                                          ""                                   },
    {"a client that seldom calls",                             "step 30000; links hmi>plc 60",
     "step 30000; links hmi>plc 4; calls hmi>plc 8",                                                                                                                                                         ""                                   },
    {"calls while another connection goes on",
     "step 3000; links hmi>plc 60; 9* hmi<plc read 3 reg 1 =1",                                                        "step 3000; links hmi>plc 4; hmi<plc read 3 reg 1 =1; calls hmi>plc 3; hmi<plc read 3 reg 1 "
     "=1; calls hmi>plc 3",                                                                                                                   ""                                   },
    {"a device that answers no more",                          TWO_POLLED,                                             TWO_POLLED "40* hist<plc read 3 reg 1 =1",
     "comm.silent"                                                                                                                                                                                                                                },
    {"a device that answers after a pause as long as ever",
     TWO_POLLED "8* hist<plc read 3 reg 1 =1;" TWO_POLLED,
     TWO_POLLED "30* hist<plc read 3 reg 1 =1",                                                                                                                                                              ""                                   },
    {"a pause as long as one before a connection was closed",
     TWO_POLLED "10* hist<plc read 3 reg 1 =1; done hmi>plc;" TWO_POLLED,
     TWO_POLLED "35* hist<plc read 3 reg 1 =1",                                                                                                                                                              ""                                   },
    {"a device that is polled and does not answer",            TWO_POLLED,
     TWO_POLLED UNANSWERED UNANSWERED UNANSWERED UNANSWERED,                                                                                                                                                 "comm.silent"                        },
    {"a client of two that dies",                              TWO_ASKED,                                              TWO_ASKED "40* hist<plc read 3 reg 1 =1",
     "comm.silent"                                                                                                                                                                                                                                },
    {"two devices that are asked and do not answer",           TWO_ASKED,
     TWO_ASKED BOTH_UNANSWERED BOTH_UNANSWERED BOTH_UNANSWERED BOTH_UNANSWERED,
     "comm.silent; comm.silent"                                                                                                                                                                                                                   },
    {"a conversation that ended while learning",               TWO_POLLED "300* hist<plc read 3 reg 1 =1",
     TWO_POLLED "300* hist<plc read 3 reg 1 =1",                                                                                                                                                             ""                                   },
    {"a hole in the capture",                                  TWO_POLLED,                                             TWO_POLLED "wait 1000; 2* hist<plc read 3 reg 1 =1",                                  ""                                   },
    {"a polled state that never was",                          MODES MODES MODES MODES,                                MODES "4* hmi<plc read 3 reg 700 =9",
     "rw.value-out-of-range"                                                                                                                                                                                                                      },
    {"polled states that were",                                MODES MODES MODES MODES,                                MODES MODES,                                                                          ""                                   },
    {"a single odd poll is a glitch",                          MODES MODES MODES MODES,
     MODES "hmi<plc read 3 reg 700 =9;" MODES,                                                                                                                                                               ""                                   },
    {"odd polls amid the device's own",                        "200* hmi<plc read 3 reg 700 =200..220",
     "hmi<plc read 3 reg 700 =400; hmi<plc read 3 reg 700 =210; hmi<plc read 3 reg 700 =400; "
     "hmi<plc read 3 reg 700 =211",                                                                                                                                                                          "rw.value-out-of-range"              },
    {"odd polls that have nothing to do with each other",      "200* hmi<plc read 3 reg 700 =200..220",
     "hmi<plc read 3 reg 700 =400; 100* hmi<plc read 3 reg 700 =200..220; hmi<plc read 3 reg 700 "
     "=400; hmi<plc read 3 reg 700 =210",                                                                                                                                                                    ""                                   },
    {"one report far from all that was reported",
     "times 12; 20* hmi<plc publish 13 point 500 =1..20",                                                              "9* hmi<plc publish 13 point 500 =1..20; hmi<plc publish 13 point 500 =900; hmi<plc publish "
     "13 point 500 =10",                                                                                                                            "rw.value-out-of-range"              },
    {"a device that starts reports zero",                      "times 12; 20* hmi<plc publish 13 point 500 =900..920",
     "9* hmi<plc publish 13 point 500 =900..920; hmi<plc publish 13 point 500 =0; hmi<plc publish "
     "13 point 500 =910",                                                                                                                                                                                    ""                                   },
    {"polled states that came once are not all that can come",
     "20* hmi<plc read 3 reg 700 =1; 20* hmi<plc read 3 reg 700 =2",                                                   "20* hmi<plc read 3 reg 700 =9",                                                      ""                                   },
    {"a polled measurement far outside of its range",          "200* hmi<plc read 3 reg 700 =200..220",
     "hmi<plc read 3 reg 700 =210; 4* hmi<plc read 3 reg 700 =400",                                                                                                                                          "rw.value-out-of-range"              },
    {"a polled measurement a little outside",                  "200* hmi<plc read 3 reg 700 =200..220",
     "hmi<plc read 3 reg 700 =210; 4* hmi<plc read 3 reg 700 =230",                                                                                                                                          ""                                   },
    {"a polled counter",                                       COUNT(0) COUNT(1) COUNT(2) COUNT(3),                    COUNT(4) COUNT(9),                                                                    ""                                   },
    {"a polled measurement that drifts",                       DRIFT(10) DRIFT(20) DRIFT(30) DRIFT(40),                DRIFT(90),                                                                            ""                                   },
    {"a polled constant that is set to something else",        "200* hmi<plc read 3 reg 700 =50",
     "20* hmi<plc read 3 reg 700 =60",                                                                                                                                                                       ""                                   },
    {"another polled register has no range yet",               "200* hmi<plc read 3 reg 700 =200..220",
     "hmi<plc read 3 reg 800 =210; 4* hmi<plc read 3 reg 800 =400",                                                                                                                                          ""                                   },
    {"what is written is not what is read back",               ECHO(5) ECHO(6) ECHO(7) ECHO(8) ECHO(9) ECHO(5),
     "hmi>plc write 6 reg 9 =7; 12* hmi<plc read 3 reg 9 =5",                                                                                                                                                "rw.value-out-of-range"              },
    {"what is written is read back",                           ECHO(5) ECHO(6) ECHO(7) ECHO(8) ECHO(9) ECHO(5),
     ECHO(5) ECHO(6),                                                                                                                                                                                        ""                                   },
    {"a device takes a few polls to take a value over",
     ECHO(5) ECHO(6) ECHO(7) ECHO(8) ECHO(9) ECHO(5),
     "hmi>plc write 6 reg 9 =7; 3* hmi<plc read 3 reg 9 =5; 9* hmi<plc read 3 reg 9 =7",                                                                                                                     ""                                   },
    {"a register that never shows what was written",
     "5* hmi>plc write 6 reg 9 =1; 12* hmi<plc read 3 reg 9 =0",                                                       "hmi>plc write 6 reg 9 =1; 20* hmi<plc read 3 reg 9 =0",                              ""                                   },
    {"a bit that was never set",                               BITS BITS BITS,                                         "hmi>plc write 6 reg 9 =4",
     "rw.value-out-of-range"                                                                                                                                                                                                                      },
    {"another mixture of bits that were set",                  BITS BITS BITS,                                         "hmi>plc write 6 reg 9 =195",                                                         ""                                   },
    {"polls at another pace",                                  "100* hmi<plc read 3 reg 1 =1",
     "step 4000; 40* hmi<plc read 3 reg 1 =1",                                                                                                                                                               "comm.period-changed"                },
    {"polls that come faster",                                 "100* hmi<plc read 3 reg 1 =1",
     "step 300; 40* hmi<plc read 3 reg 1 =1",                                                                                                                                                                "comm.period-changed"                },
    {"answers that come late",
     "times 100; step 5; hmi>plc read 3 reg 1; step 995; hmi<plc read 3 reg 1 =1",                                     "times 20; step 300; hmi>plc read 3 reg 1; step 700; hmi<plc read 3 reg 1 =1",
     "comm.period-changed"                                                                                                                                                                                                                        },
    {"answers that come late now and then",
     "times 100; step 5; hmi>plc read 3 reg 1; step 995; hmi<plc read 3 reg 1 =1",                                     "times 20; step 300; hmi>plc read 3 reg 1; step 700; hmi<plc read 3 reg 1 =1;" QUICK QUICK
         QUICK,                                                                                                            ""                                   },
    {"every second answer comes late",
     "times 100; step 5; hmi>plc read 3 reg 1; step 995; hmi<plc read 3 reg 1 =1",                                     "times 20; step 300; hmi>plc read 3 reg 1; step 700; hmi<plc read 3 reg 1 =1;" QUICK,
     "comm.period-changed"                                                                                                                                                                                                                        },
    {"answers that always took long",
     "times 100; step 300; hmi>plc read 3 reg 1; step 700; hmi<plc read 3 reg 1 =1",                                   "times 20; step 500; hmi>plc read 3 reg 1; step 500; hmi<plc read 3 reg 1 =1",        ""                                   },
    {"a conversation that carries far more than ever",         "bytes 100; 900* hmi<plc read 3 reg 1 =1",
     "bytes 60000; 20* hmi<plc read 3 reg 1 =1",                                                                                                                                                             "comm.volume-anomaly"                },
    {"a conversation that carries somewhat more than ever",
     "bytes 100; 900* hmi<plc read 3 reg 1 =1",                                                                        "bytes 60000; 4* hmi<plc read 3 reg 1 =1",                                            ""                                   },
    {"a conversation that always carries much",                "bytes 60000; 900* hmi<plc read 3 reg 1 =1",
     "bytes 60000; 100* hmi<plc read 3 reg 1 =1",                                                                                                                                                            ""                                   },
    {"a set point that leaps through its range",               RAMP,
     "hmi>plc write 6 reg 9 =21; hmi>plc write 6 reg 9 =39",                                                                                                                                                 "rw.value-rate"                      },
    {"a set point that moves as ever",                         RAMP,
     "hmi>plc write 6 reg 9 =21; hmi>plc write 6 reg 9 =24; hmi>plc write 6 reg 9 =22",                                                                                                                      ""                                   },
    {"a set point that is put back",                           RAMP,
     "hmi>plc write 6 reg 9 =21; hmi>plc write 6 reg 9 =900; hmi>plc write 6 reg 9 =22",                                                                                                                     "rw.value-out-of-range"              },
    {"a set point that always leapt",                          "40* hmi>plc write 6 reg 9 =20..60",
     "hmi>plc write 6 reg 9 =21; hmi>plc write 6 reg 9 =58",                                                                                                                                                 ""                                   },
    {"a command without the select that always came before",
     "times 9; manner 18; hmi>plc control 45 point 1 =1; manner 19; hmi>plc control 45 point 1 =1",                    "manner 20; hmi>plc control 45 point 1 =1",                                           "rw.sequence-unusual"                },
    {"commands that were given in both ways",
     "times 9; manner 18; hmi>plc control 45 point 1 =1; manner 19; hmi>plc control 45 point 1 "
     "=1; manner 20; hmi>plc control 45 point 1 =1",                                                                   "manner 20; hmi>plc control 45 point 1 =1",                                           ""                                   },
    {"two variables whose commands are not selected any more",
     "times 9; manner 19; hmi>plc control 45 point 1 =1; hmi>plc control 45 point 2 =1",                               "manner 20; hmi>plc control 45 point 1 =1; hmi>plc control 45 point 2 =1",
     "rw.sequence-unusual; rw.sequence-unusual"                                                                                                                                                                                                   },
    {"a function that is new and goes without a select",
     "manner 19; 9* hmi>plc control 4 point 1 =1",                                                                     "manner 20; hmi>plc control 5 point 1 =1",
     "rw.new-function"                                                                                                                                                                                                                            },
    {"another priority",                                       "manner 16; 9* hmi>plc write 15 value 1 =5",
     "manner 8; hmi>plc write 15 value 1 =5",                                                                                                                                                                "rw.new-function"                    },
    {"two writes do not show how it is written",               "manner 16; 2* hmi>plc write 15 value 1 =5",
     "manner 8; hmi>plc write 15 value 1 =5",                                                                                                                                                                ""                                   },
    {"how it is written was not yet looked at",                "9* hmi>plc write 15 value 1 =5",
     "manner 8; hmi>plc write 15 value 1 =5",                                                                                                                                                                ""                                   },
    {"a priority is given back",                               "manner 8; 9* hmi>plc write 15 value 1 =5",
     "manner 17; hmi>plc write 15 value 1",                                                                                                                                                                  "rw.new-function"                    },
    {"a priority that is given back by habit",
     "times 9; manner 8; hmi>plc write 15 value 1 =5; manner 17; hmi>plc write 15 value 1",                            "manner 17; hmi>plc write 15 value 1",                                                ""                                   },
    {"polls after a report of the same",
     "100* hmi<plc read 3 reg 1 =1; 9* hmi<plc publish 13 reg 1 =1;",                                                  "hmi<plc publish 13 reg 1 =1; 40* hmi<plc read 3 reg 1 =1",                           ""                                   },
    {"polls that jitter",                                      "100* hmi<plc read 3 reg 1 =1",                         JITTER JITTER JITTER,                                                                 ""                                   },
    {"polls that pause",                                       "100* hmi<plc read 3 reg 1 =1",
     "30* hmi<plc read 3 reg 1 =1; wait 100; 30* hmi<plc read 3 reg 1 =1; wait 30; 9* hmi<plc read "
     "3 reg 1 =1",                                                                                                                                                                                           ""                                   },
    {"unsolicited reports are switched off amid a connection", UNSOLICITED_OFF_FIRST,
     "20*" ASK UNSOLICITED_OFF ASK,                                                                                                                                                                          "rw.sequence-unusual"                },
    {"unsolicited reports are switched off at a beginning",    UNSOLICITED_OFF_FIRST,
     "20*" ASK "done hmi>rtu;" UNSOLICITED_OFF ASK,                                                                                                                                                          ""                                   },
    {"unsolicited reports are switched off and nothing more",  UNSOLICITED_OFF_FIRST,
     "20*" ASK "done hmi>rtu;" UNSOLICITED_OFF "done hmi>rtu",                                                                                                                                               "rw.alarm-limit-write"               },
    {"a connection that goes on after them",                   UNSOLICITED_OFF_FIRST,
     "20*" ASK "done hmi>rtu;" UNSOLICITED_OFF ASK "done hmi>rtu",                                                                                                                                           ""                                   },
    {"unsolicited reports are switched off at any time",
     "times 6; 20*" ASK UNSOLICITED_OFF "20*" ASK,                                                                     "20*" ASK UNSOLICITED_OFF ASK,                                                        ""                                   },
    {"a command without its select",                           "times 60;" SBO,
     "hmi>rtu read 1 point 1; hmi>rtu control 4 point 5 =1",                                                                                                                                                 "rw.sequence-unusual"                },
    {"a command after its select",                             "times 60;" SBO,                                        SBO SBO,                                                                              ""                                   },
    {"orders that people make",                                CLICKS CLICKS,
     "hmi>rtu read 1 point 1; hmi>rtu control 4 point 5 =1; hmi>rtu read 2 point 1; hmi>rtu "
     "control 4 point 5 =1",                                                                                                                                                                                 ""                                   },
    {"an alarm limit that is written for the first time",
     HMI_DAY "40* hmi>plc write 6 tag Temp.high-limit =80",                                                            "hmi>plc write 6 tag Temp.low-limit =5",
     "rw.alarm-limit-write"                                                                                                                                                                                                                       },
    {"an alarm limit that is set by habit",                    HMI_DAY "40* hmi>plc write 6 tag Temp.high-limit =80",
     "hmi>plc write 6 tag Temp.high-limit =80",                                                                                                                                                              ""                                   },
    {"a stranger's first write is to an alarm limit",          HMI_DAY HIST_DAY,
     "hist>plc write 6 tag Temp.high-limit =80",                                                                                                                                                             "rw.alarm-limit-write; rw.new-writer"},
    {"one connection after the other",                         "step 5000; links hmi>plc 40",                          "step 200; links hmi>plc 200",
     "comm.session-burst"                                                                                                                                                                                                                         },
    {"as many connections as ever",                            "step 500; links hmi>plc 200",                          "step 500; links hmi>plc 200",
     ""                                                                                                                                                                                                                                           },
    {"a port after the other is a scan",                       "step 5000; links hmi>plc 40",
     "step 200; ports hmi>plc 200",                                                                                                                                                                          ""                                   },
    {"a client that restarts a few times",                     "step 5000; links hmi>plc 40",
     "step 1000; links hmi>plc 30",                                                                                                                                                                          ""                                   },
    {"encryption that is given up",                            "sealed; 40* hmi>plc read 3 reg 1",
     "sealed; 5* hmi>plc read 3 reg 1; open; hmi>plc session 1; 5* hmi>plc read 3 reg 1",                                                                                                                    "comm.encryption-lost"               },
    {"encryption that goes on, after an open handshake",       "sealed; 40* hmi>plc read 3 reg 1",
     "open; hmi>plc session 1; sealed; 5* hmi>plc read 3 reg 1",                                                                                                                                             ""                                   },
    {"a conversation that was open now and then",
     "open; hmi>plc read 3 reg 1; sealed; 40* hmi>plc read 3 reg 1",                                                   "open; 5* hmi>plc read 3 reg 1",                                                      ""                                   },
    {"a long stretch at the end of learning is normal",
     POLLS "60* hmi<plc read 3 reg 500+4 =7,7,7,7",
     "step 500; 10* hmi<plc read 3 reg 500+4 =0..50; 80* hmi<plc read 3 reg 500+4 =7,7,7,7",                                                                                                                 ""                                   },
};

START_TEST(test_sequence)
{
    const struct row *row = &rows[_i];
    static struct scene learning, judging;
    struct store *store = scene_store(":memory:");
    scene_open(&learning, MODE_LEARN, 1000000);
    scene_play(&learning, row->learn);
    ck_assert_msg(learning.count == 0, "%s: %s while learning", row->shows,
                  scene_causes(&learning));
    scene_save(&learning, store);
    scene_open(&judging, MODE_DETECT, 2000000);
    scene_load(&judging, store);
    scene_play(&judging, row->then);
    const char *causes = scene_causes(&judging);
    ck_assert_msg(strcmp(causes, row->causes) == 0, "%s: found \"%s\", expected \"%s\"%s%s",
                  row->shows, causes, row->causes, judging.count ? ": " : "",
                  judging.count ? judging.found[judging.count - 1].what : "");
    for (size_t i = 0; i < judging.count; i++) {
        ck_assert_msg(judging.found[i].what[0] && judging.found[i].expected[0] &&
                          judging.found[i].seen[0] && judging.found[i].key[0],
                      "%s: a finding without words", row->shows);
        ck_assert_msg(!judging.found[i].has_target || strstr(judging.found[i].what, "%T"),
                      "%s: the target is not named", row->shows);
        ck_assert_msg(!strstr(judging.found[i].expected, "at most 0 "), "%s: expected %s",
                      row->shows, judging.found[i].expected);
    }
    scene_close(&learning);
    scene_close(&judging);
    store_close(store);
}
END_TEST

/* --- what is told of a finding --- */

START_TEST(test_words)
{
    static struct scene learning, judging;
    struct store *store = scene_store(":memory:");
    scene_open(&learning, MODE_LEARN, 1000000);
    scene_play(&learning, HMI_DAY);
    scene_save(&learning, store);
    scene_open(&judging, MODE_DETECT, 2000000);
    scene_load(&judging, store);
    scene_play(&judging, "hmi>plc write 6 reg 300 =1; hmi>plc write 6 reg 260 =900");
    ck_assert_uint_eq(judging.count, 2);
    const struct finding *address = &judging.found[0], *value = &judging.found[1];
    ck_assert_str_eq(address->what, "writes reg 300 of %T, which it never did before");
    ck_assert_str_eq(address->expected, "writes only reg 260, 270-272, since 1970-01-12 13:46 UTC");
    ck_assert(address->flags & FINDING_IS_WRITE);
    ck_assert_uint_eq(strlen(address->fact), 16);
    ck_assert_str_eq(value->what, "sets reg 260 of %T to 900, outside of what it ever wrote there");
    ck_assert_str_eq(value->seen, "900");
    ck_assert_msg(strstr(value->expected, "20 to 35 (40 times"), "%s", value->expected);
    struct endpoint hmi = scene_host("hmi");
    ck_assert(address_equal(&value->actor.ip, &hmi.ip));
    scene_play(&judging, "eng>plc write 6 reg 300 =1");
    ck_assert_uint_eq(judging.count, 4); /* a new link, and */
    const struct finding *writer = &judging.found[3];
    ck_assert_str_eq(writer->what, "wrote to %T for the first time: reg 300");
    ck_assert_str_eq(writer->expected, "no contact between these two: none was learned");
    scene_close(&learning);
    scene_close(&judging);
    store_close(store);
}
END_TEST

/* Values that came in any order are told in theirs. */
START_TEST(test_words_of_states)
{
    static struct scene learning, judging;
    struct store *store = scene_store(":memory:");
    scene_open(&learning, MODE_LEARN, 1000000);
    scene_play(&learning, HMI_DAY "20* hmi>plc write 6 reg 290 =3; 20* hmi>plc write 6 reg 290 =1;"
                                  "20* hmi>plc write 6 reg 290 =2;");
    scene_save(&learning, store);
    scene_open(&judging, MODE_DETECT, 2000000);
    scene_load(&judging, store);
    scene_play(&judging, "hmi>plc write 6 reg 290 =77");
    ck_assert_uint_eq(judging.count, 1);
    const char *expected = judging.found[0].expected;
    ck_assert_msg(strncmp(expected, "1, 2, 3 (60 times", 17) == 0, "%s", expected);
    scene_close(&learning);
    scene_close(&judging);
    store_close(store);
}
END_TEST

/* --- modes --- */

START_TEST(test_pending_is_learned_in_learn_mode)
{
    static struct scene s, again;
    struct store *store = scene_store(":memory:");
    scene_open(&s, MODE_LEARN, 1000000);
    scene_play(&s, HMI_DAY);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    scene_play(
        &s, "eng>plc write 6 reg 300 =1; hmi>plc write 6 reg 300 =1; hmi>plc write 15 coil 3 =1");
    ck_assert_uint_gt(s.count, 0);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&again, MODE_DETECT, 3000000);
    scene_load(&again, store);
    scene_play(
        &again,
        "eng>plc write 6 reg 300 =1; hmi>plc write 6 reg 300 =1; hmi>plc write 15 coil 3 =1");
    ck_assert_str_eq(scene_causes(&again),
                     "comm.new-link; rw.new-writer; rw.new-address; rw.new-function");
    scene_close(&again);
    scene_open(&s, MODE_LEARN, 4000000);
    scene_load(&s, store);
    scene_play(
        &s, "eng>plc write 6 reg 300 =1; hmi>plc write 6 reg 300 =1; hmi>plc write 15 coil 3 =1");
    ck_assert_uint_eq(s.count, 0);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&again, MODE_DETECT, 5000000);
    scene_load(&again, store);
    scene_play(
        &again,
        "eng>plc write 6 reg 300 =1; hmi>plc write 6 reg 300 =1; hmi>plc write 15 coil 3 =1");
    ck_assert_str_eq(scene_causes(&again), "");
    scene_close(&again);
    store_close(store);
}
END_TEST

START_TEST(test_auto_settles)
{
    static struct scene s;
    scene_open(&s, MODE_AUTO, 1000000);
    scene_play(&s,
               "60* hmi>plc read 3 reg 100+10; hmi>plc read 4 input 3; hmi>plc write 6 reg 9 =3");
    ck_assert_msg(s.count == 0, "%s", scene_causes(&s));
    /* ten minutes without news settle it; 1300 s are more than twice any pause before */
    scene_play(&s, "1300* hmi>plc read 3 reg 100+10");
    ck_assert_uint_eq(s.count, 0);
    scene_play(&s, "hmi>plc read 3 reg 500; hmi>plc read 7 input 3; eng>plc read 3 reg 100");
    ck_assert_str_eq(scene_causes(&s), "rw.new-address; rw.new-function; comm.new-link");
    scene_close(&s);
}
END_TEST

/* What a new device sends to all neighbours in Ethernet frames. */
static const struct neighbour_row {
    const char *shows, *protocol;
    enum operation operation;
    enum ot_direction direction;
    uint8_t first; /* byte of the target's MAC: 01 is a group */
    const char *told;
} neighbour_rows[] = {
    {"what it says of itself is no talk", "lldp",   OP_NETMGMT, OT_ONEWAY,  0x01, ""             },
    {"to one device it is",               "lldp",   OP_NETMGMT, OT_ONEWAY,  0x02, "comm.new-link"},
    {"a question to all is",              "pn_dcp", OP_NETMGMT, OT_REQUEST, 0x01, "comm.new-link"},
    {"values for subscribers are",        "goose",  OP_PUBLISH, OT_ONEWAY,  0x01, "comm.new-link"},
};

START_TEST(test_neighbours)
{
    static struct scene s;
    const struct neighbour_row *row = &neighbour_rows[_i];
    scene_open(&s, MODE_DETECT, 1000000);
    const struct ot_flow flow = {.id = 1,
                                 .client.mac = {{2, 0, 0, 0, 0, 1}},
                                 .server.mac = {{row->first, 0x80, 0xc2, 0, 0, 0x0e}}};
    const struct ot_event e = {.time_ns = s.now_ns,
                               .flow = &flow,
                               .is_from_client = true,
                               .direction = row->direction,
                               .protocol = row->protocol,
                               .operation = row->operation};
    baseline_event(s.baseline, &e);
    bool is_told = strstr(scene_causes(&s), "comm.new-link") != NULL;
    ck_assert_msg(is_told == (row->told[0] != 0), "%s: %s", row->shows, scene_causes(&s));
    scene_close(&s);
}
END_TEST

/* Wilson's upper limit, one-sided 95 %, of singles / draws, calculated by hand. */
static const struct chance_row {
    const char *shows;
    uint32_t draws, singles;
    double chance;
} chance_rows[] = {
    {"nothing seen, nothing known",   0,    0,  1.0     },
    {"one draw that was new",         1,    1,  1.0     },
    {"none of 20 says little",        20,   0,  0.119177},
    {"none of 52 is below one in 20", 52,   0,  0.049465},
    {"none of 1000",                  1000, 0,  0.002699},
    {"ten of 1000",                   1000, 10, 0.016658},
};

START_TEST(test_chance_of_news)
{
    const struct chance_row *row = &chance_rows[_i];
    const struct settle s = {.draws = row->draws, .singles = row->singles};
    ck_assert_msg(fabs(settle_chance(&s) - row->chance) < 0.0001, "%s: %f", row->shows,
                  settle_chance(&s));
}
END_TEST

START_TEST(test_rare_conversations_are_told_at_lower_severity)
{
    static struct scene s;
    scene_open(&s, MODE_AUTO, 1000000);
    scene_play(&s,
               "step 120000; 40* hmi>plc read 3 reg 100+10"); /* 80 minutes, too few to settle */
    ck_assert_msg(s.count == 0, "%s", scene_causes(&s));
    scene_play(&s, "step 1000; 3* hmi>plc read 4 input 3");
    ck_assert_str_eq(scene_causes(&s), "rw.new-function");
    ck_assert_uint_eq(s.count, 1); /* learned by being told */
    ck_assert(s.found[0].flags & FINDING_STILL_LEARNING);
    scene_play(&s, "2* hmi>plc read 3 reg 500");
    ck_assert_str_eq(scene_causes(&s), "rw.new-function; rw.new-address");
    ck_assert_uint_eq(s.count, 2);
    ck_assert(s.found[1].flags & FINDING_STILL_LEARNING);
    scene_close(&s);
}
END_TEST

START_TEST(test_unseen_time_settles_nothing)
{
    static struct scene s;
    scene_open(&s, MODE_AUTO, 1000000);
    scene_play(&s, "60* hmi>plc read 3 reg 100+10");
    struct store *store = scene_store(":memory:");
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&s, MODE_AUTO, 9000000); /* three months later */
    scene_load(&s, store);
    scene_play(&s, "hmi>plc read 3 reg 500");
    ck_assert_msg(s.count == 0, "%s", scene_causes(&s));
    scene_close(&s);
    store_close(store);
}
END_TEST

START_TEST(test_guessed_roles_do_not_matter)
{
    static struct scene s;
    struct store *store = scene_store(":memory:");
    scene_open(&s, MODE_LEARN, 1000000);
    scene_play(&s, HMI_DAY);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    s.is_role_guessed = true;
    struct ot_flow reversed = {.id = 5, .client = scene_host("plc"), .server = scene_host("hmi")};
    baseline_protocol(s.baseline, &reversed, "modbus", NULL);
    scene_play(&s, HMI_DAY);
    ck_assert_msg(s.count == 0, "%s", scene_causes(&s));
    scene_close(&s);
    store_close(store);
}
END_TEST

START_TEST(test_protocols)
{
    static struct scene s;
    struct store *store = scene_store(":memory:");
    scene_open(&s, MODE_LEARN, 1000000);
    scene_play(&s, HMI_DAY);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    struct ot_flow flow = {
        .id = 5, .client = scene_host("hmi"), .server = scene_host("plc"), .is_role_known = true};
    baseline_protocol(s.baseline, &flow, "modbus", NULL);
    ck_assert_uint_eq(s.count, 0);
    ck_assert(baseline_is_learned(s.baseline, &flow, "modbus"));
    ck_assert(!baseline_is_learned(s.baseline, &flow, "telnet"));
    baseline_protocol(s.baseline, &flow, "telnet", NULL);
    ck_assert(!baseline_is_learned(s.baseline, &flow, "telnet"));
    baseline_protocol(s.baseline, &flow, "inner", NULL); /* inside the same flow: the same cause */
    ck_assert_str_eq(scene_causes(&s), "comm.new-protocol");
    ck_assert_str_eq(s.found[0].what, "talks telnet with %T for the first time");
    scene_close(&s);
    store_close(store);
}
END_TEST

/* --- bounds --- */

START_TEST(test_bounded)
{
    static struct scene s;
    struct baseline_state before, after;
    scene_open(&s, MODE_LEARN, 1000000);
    baseline_state(s.baseline, &before);
    for (unsigned i = 0; i < 20000; i++) {
        char line[96];
        snprintf(line, sizeof line, "hmi%u>plc%u write 6 reg %u =%u", i, i * 7, i, i);
        scene_play(&s, line);
        snprintf(line, sizeof line, "hmi%u<plc%u read 3 tag name%u =%u", i, i * 7, i, i);
        scene_play(&s, line);
    }
    baseline_state(s.baseline, &after);
    ck_assert_uint_eq(before.bytes, after.bytes);
    ck_assert_uint_eq(after.conversations, 1024);
    ck_assert_uint_gt(after.evicted, 18000);
    scene_close(&s);
}
END_TEST

START_TEST(test_flood_keeps_what_is_learned)
{
    static struct scene s;
    struct store *store = scene_store(":memory:");
    scene_open(&s, MODE_LEARN, 1000000);
    scene_play(&s, HMI_DAY);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    for (unsigned i = 0; i < 20000; i++) {
        char line[64];
        snprintf(line, sizeof line, "rogue%u>plc read 3 reg 1", i);
        scene_play(&s, line);
        s.count = 0;
    }
    scene_play(&s, HMI_DAY);
    ck_assert_msg(s.count == 0, "%s", scene_causes(&s));
    scene_close(&s);
    store_close(store);
}
END_TEST

START_TEST(test_repeats_are_few)
{
    static struct scene s;
    scene_open(&s, MODE_DETECT, 1000000);
    scene_play(&s, "step 100; 36000* hmi>plc read 3 reg 1"); /* an hour at ten a second */
    ck_assert_uint_gt(s.count, 5);
    ck_assert_uint_lt(s.count, 100);
    uint64_t told = 0;
    for (size_t i = 0; i < s.count; i++)
        told += s.found[i].count;
    ck_assert_uint_gt(told, 30000);
    scene_close(&s);
}
END_TEST

static void play_devices(struct scene *s, unsigned devices, int rounds)
{
    scene_play(s, "step 5");
    for (int round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < devices; i++) {
            char line[64];
            snprintf(line, sizeof line, "hmi%u<plc%u read 3 reg 1 =1", i, i);
            scene_play(s, line);
        }
        scene_play(s, "hist<plc read 3 reg 1 =1");
    }
}

/* More of them than one look has time for: the rest is told in the next ones. */
START_TEST(test_many_fall_silent)
{
    enum { DEVICES = 100, LEARNED = 60, ALIVE = 10 };
    static struct scene s;
    struct store *store = scene_store(":memory:");
    scene_open(&s, MODE_LEARN, 1000000);
    play_devices(&s, DEVICES, LEARNED);
    scene_end(&s);
    scene_save(&s, store);
    scene_close(&s);
    scene_open(&s, MODE_DETECT, 2000000);
    scene_load(&s, store);
    play_devices(&s, DEVICES, ALIVE);
    ck_assert_uint_eq(s.count, 0);
    scene_play(&s, "step 500; 60* hist<plc read 3 reg 1 =1");
    ck_assert_uint_eq(s.count, DEVICES);
    for (unsigned i = 0; i < DEVICES; i++)
        ck_assert_int_eq(s.found[i].detection, DETECTION_COMM_SILENT);
    scene_close(&s);
    store_close(store);
}
END_TEST

/* A store of before has everything but the last columns. */
START_TEST(test_older_store)
{
    static const char *older[64];
    size_t count = 0;
    while (baseline_schema.migrations[count + 1])
        count++;
    ck_assert_uint_lt(count, sizeof older / sizeof *older);
    memcpy((void *)older, (const void *)baseline_schema.migrations, count * sizeof *older);
    const struct store_schema before = {.name = "baseline", .migrations = older};
    const struct store_schema *const schemas[] = {&before, NULL};
    char path[] = "/tmp/baseline-XXXXXX";
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    close(file);
    struct store *store;
    struct error err = {""};
    struct scene s;
    ck_assert_msg(store_open(&store, path, STORE_READ_WRITE, schemas, &err), "%s", err.text);
    ck_assert_msg(store_exec(store,
                             "INSERT INTO baseline_pairs (sensor, id, state, first_seen, "
                             "last_seen, count, segment, host_a, host_b, operations_a, "
                             "operations_b) VALUES('test', 7, 'learned', 1, 2, 3, 0, '10.0.0.1', "
                             "'10.0.0.2', 0, 0)",
                             &err),
                  "%s", err.text);
    store_close(store);
    store = scene_store(path);
    scene_open(&s, MODE_DETECT, 1000);
    scene_load(&s, store);
    scene_play(&s, "3* hmi<plc read 3 reg 1 =1; hmi>plc write 6 reg 9 =5");
    scene_save(&s, store);
    scene_close(&s);
    store_close(store);
    unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("baseline");
    TCase *sequences = tcase_create("sequences");
    tcase_add_loop_test(sequences, test_sequence, 0, (int)(sizeof rows / sizeof *rows));
    tcase_add_test(sequences, test_words);
    tcase_add_test(sequences, test_words_of_states);
    suite_add_tcase(suite, sequences);
    TCase *modes = tcase_create("modes");
    tcase_add_test(modes, test_pending_is_learned_in_learn_mode);
    tcase_add_test(modes, test_auto_settles);
    tcase_add_test(modes, test_older_store);
    tcase_add_loop_test(modes, test_neighbours, 0,
                        (int)(sizeof neighbour_rows / sizeof *neighbour_rows));
    tcase_add_test(modes, test_rare_conversations_are_told_at_lower_severity);
    tcase_add_loop_test(modes, test_chance_of_news, 0,
                        (int)(sizeof chance_rows / sizeof *chance_rows));
    tcase_add_test(modes, test_unseen_time_settles_nothing);
    tcase_add_test(modes, test_guessed_roles_do_not_matter);
    tcase_add_test(modes, test_protocols);
    suite_add_tcase(suite, modes);
    TCase *bounds = tcase_create("bounds");
    tcase_set_timeout(bounds, 60);
    tcase_add_test(bounds, test_bounded);
    tcase_add_test(bounds, test_flood_keeps_what_is_learned);
    tcase_add_test(bounds, test_repeats_are_few);
    tcase_add_test(bounds, test_many_fall_silent);
    suite_add_tcase(suite, bounds);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
