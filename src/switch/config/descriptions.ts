/** What each key of a configuration means, by its path: shown by editors and in docs/configuration.md. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  $schema: 'For editors of JSON; not looked at.',

  datapath: 'How DPDK is started. A change needs a restart.',
  'datapath.memory':
    "Where DPDK's memory comes from; `auto` takes hugepages when enough of them are free.",
  'datapath.memoryMiB': 'Memory for DPDK in MiB.',
  'datapath.mtu': "Largest MTU of any port in bytes; sets the size of a frame's buffer.",
  'datapath.ealArgs': 'Further arguments for EAL, as they are.',
  'datapath.peerTimeoutMs':
    'Milliseconds after which a vhost-user peer is cut off that holds up all others, because it does not end a message or does not read its answers; 0: never.',

  lcores: 'Threads that poll the ports.',
  'lcores.name':
    'Name of the lcore. Default `lcore0`, `lcore1` and so on, by its place in the list.',
  'lcores.cpu': 'CPU the thread is pinned to. Default: not pinned.',
  'lcores.ports':
    "Ports whose rx queues the lcore polls, by name; `all`; or `pinned`: only rx queues that a port's `rxAffinity` pins to it, which it polls in any case.",
  'lcores.burst': 'Most frames of one burst.',
  'lcores.idle':
    'What the lcore does when there is nothing to do: sleep until a guest signals (`adaptive`), or go on polling (`spin`).',
  'lcores.maxSleepMs': 'Longest sleep in milliseconds.',
  'lcores.burstTimeoutMs':
    'Milliseconds that a program may take for one burst before the lcore is ended and started again; 0: any time.',

  bridges: 'Switches that ports are plugged into. A frame never goes from one bridge to another.',
  'bridges.name': 'Name of the bridge.',
  'bridges.ageing': 'Seconds after which an address that was not seen is forgotten.',
  'bridges.tableSize': 'Most addresses. When it changes, what was learnt is forgotten.',
  'bridges.forwardBpdu':
    "Forward frames to 01:80:c2:00:00:00 to 0f, and to the other addresses of OVS's `forward-bpdu`, which bridges keep to themselves.",
  'bridges.staticMacs': 'Addresses that are on a port whatever frames say.',
  'bridges.staticMacs.mac': 'The address.',
  'bridges.staticMacs.vlan': 'Its VLAN; 0 is what has no tag.',
  'bridges.staticMacs.port': 'Name of a port of the bridge.',
  'bridges.stormLimit': 'Most flooded frames a second from one port, by kind. Default: no limits.',
  'bridges.stormLimit.broadcast': 'Broadcasts a second.',
  'bridges.stormLimit.multicast': 'Multicasts a second.',
  'bridges.stormLimit.unknownUnicast': 'Frames a second to addresses that are not known.',
  'bridges.loopGuard':
    'An address that moves between ports more than `moves` times within `withinMs` stays where it is for `holdMs`, and frames from it elsewhere are dropped.',
  'bridges.loopGuard.moves': 'Moves that are taken.',
  'bridges.loopGuard.withinMs': 'Milliseconds in which they are counted.',
  'bridges.loopGuard.holdMs': 'Milliseconds for which the address is held.',
  'bridges.local':
    'Local port, by which the host takes part: a TAP interface, which is also a port of its name. `true`: one named like the bridge.',
  'bridges.local.iface': "Name of the interface, at most 15 bytes. Default the bridge's.",
  'bridges.local.addresses': 'Its IP addresses with prefix lengths.',
  'bridges.local.mac': 'Its MAC address. Default: one that is made up.',
  'bridges.flows':
    'Rules in the words of `ovs-ofctl`, or as objects. Default: none, and every frame is switched (`normal`). Of a bridge with rules, frames that none matches are dropped.',
  'bridges.flows.table': 'Table the rule is in. Frames begin in table 0.',
  'bridges.flows.priority': 'Of the rules that match, the one with the highest decides.',
  'bridges.flows.cookie': 'A number of yours.',
  'bridges.flows.idle_timeout': 'Seconds without a frame after which the rule goes; 0: never.',
  'bridges.flows.hard_timeout': 'Seconds after which the rule goes; 0: never.',
  'bridges.flows.match':
    'Fields by their names in `ovs-fields(7)`, and protocols as `tcp: true`. Default: all frames.',
  'bridges.flows.actions': 'What is done with a frame, in this order. None: it is dropped.',
  'bridges.flows.actions.output': 'Name or id of the port it is sent to.',
  'bridges.flows.actions.set_field': 'Values by their fields.',
  'bridges.flows.actions.controller': 'Hands over a copy.',
  'bridges.flows.actions.controller.max_len': 'Most bytes of the copy.',
  'bridges.flows.actions.push_vlan': 'Pushes a VLAN tag of that TPID.',
  'bridges.flows.actions.meter': 'Drops what is beyond that meter.',
  'bridges.flows.actions.goto_table': 'Goes on in that table.',
  'bridges.flowsFile':
    'File with rules as `ovs-ofctl add-flows` takes it: one a line, `#` begins a comment. Instead of `flows`.',
  'bridges.meters': 'Meters that rules can name.',
  'bridges.meters.id': 'Number that rules name it by.',
  'bridges.meters.unit': '`kbps`: thousands of bits a second; `pktps`: frames a second.',
  'bridges.meters.rate': 'How much of them in the long run.',
  'bridges.meters.burst_size':
    'How much at once: thousands of bits, or frames. Default as much as in one second.',
  'bridges.program':
    'A program of your own that decides, instead of rules and switching: path of a TypeScript or JavaScript module whose default export makes it.',
  'bridges.program.file': 'Path of the module.',
  'bridges.program.data': "Handed to the module's default export.",
  'bridges.mirrors': "Ports that get copies of frames, as OVS's table `Mirror`.",
  'bridges.mirrors.name': 'Name of the mirror.',
  'bridges.mirrors.selectAll': 'All frames of the bridge.',
  'bridges.mirrors.selectSrcPort': 'Ports whose received frames are mirrored.',
  'bridges.mirrors.selectDstPort': 'Ports whose sent frames are mirrored.',
  'bridges.mirrors.selectVlan': 'Only these VLANs and ranges of them. Default: all.',
  'bridges.mirrors.outputPort':
    'Port that gets the copies; it gets nothing else. Either this or `outputVlan`.',
  'bridges.mirrors.outputVlan':
    'VLAN that gets the copies, by all ports of the bridge that carry it: with its tag, or without one where it is the VLAN of untagged frames. Known as RSPAN.',
  'bridges.mirrors.snaplen':
    'Bytes of a copy that are kept, its tag included. Default: all of them.',

  ports: 'Where frames enter and leave, at most 1024.',
  'ports.name': 'Name of the port: 1 to 64 of the characters `A-Z a-z 0-9 _ . : @ + -`.',
  'ports.type':
    'As in OVS. `dpdkvhostuserclient` connects to a socket on which QEMU listens (`server=on`); `dpdkvhostuser` listens and QEMU connects; `dpdk` is a NIC or a virtual device of DPDK.',
  'ports.path': 'Absolute path of the socket, at most 107 bytes.',
  'ports.queues': 'Most queue pairs the guest may have.',
  'ports.mtu':
    "Longest payload of a frame in bytes. Default the datapath's, and no more than that.",
  'ports.adminState': '`down` looks unplugged to the guest.',
  'ports.rxAffinity':
    'Rx queues that are pinned: names of lcores by queue, such as `{ 0: lcore0 }`.',
  'ports.egressShaper':
    'Holds back what would be sent to the port above a rate, in a queue that drops its tail. Default: nothing is held back.',
  'ports.egressShaper.rate':
    "Bits a second of whole frames, as `max-rate` of OVS's QoS type `linux-htb`.",
  'ports.egressShaper.burst':
    'Bytes that may be sent at once after a pause. Default what comes in 10 ms, and 16384 at least.',
  'ports.egressShaper.queueLength': 'Most frames that wait.',
  'ports.egressShaper.queueBytes': 'Most bytes that wait. Default: no limit of its own.',
  'ports.disableFeatures': 'Features not to offer, by their names in the VIRTIO standard.',
  'ports.features':
    'Exactly these features are offered. Default: all that DPDK has, without those of `disableFeatures` and offloads.',
  'ports.txRetriesMax': 'Times a full ring is tried again while it makes progress.',
  'ports.vringStats':
    'Counts for each vring what librte_vhost counts: sizes of frames, groups, interrupts.',
  'ports.flapLimit':
    "Restarts of the guest's device a second that the port goes along with, over ten seconds; a guest above that is held down for a while. 0: no limit.",
  'ports.reconnect': 'How a `dpdkvhostuserclient` port looks for its peer.',
  'ports.reconnect.firstDelayMs':
    'First delay after a refused connection in milliseconds. Each further one doubles.',
  'ports.reconnect.maxDelayMs': 'Longest delay between two attempts in milliseconds.',
  'ports.reconnect.jitter': 'Share of each delay that is left to chance.',
  'ports.reconnect.giveUpMs':
    'Milliseconds without a peer after which the port gives up. Default: never.',
  'ports.createFolder': 'Creates the folders of the path that are missing.',
  'ports.mode':
    "Permission bits of the socket, such as `'0660'`; to connect takes write permission. Default: what the umask leaves.",
  'ports.uid': 'User that owns the socket, by name or number. Default: that of the switch.',
  'ports.gid': 'Group that owns the socket, by name or number. Default: that of the switch.',
  'ports.devargs':
    'PCI address or virtual device with its arguments, as DPDK takes it: `0000:03:00.0`, `net_tap0,iface=tap0`.',
  'ports.rxQueues': 'Rx queues.',
  'ports.txQueues': 'Tx queues.',
  'ports.rxDescriptors': 'Descriptors of an rx queue, a power of two.',
  'ports.txDescriptors': 'Descriptors of a tx queue, a power of two.',
  'ports.bridge': 'Name of its bridge. Default the first.',
  'ports.vlanMode':
    "`access`: one VLAN, untagged. `trunk`: tagged. `native-tagged`, `native-untagged`: a trunk whose `tag` VLAN is also taken untagged, and sent so or tagged. As OVS's `vlan_mode`. Default `access` where there is a `tag`, else `trunk`.",
  'ports.tag': 'VLAN of an access port, native VLAN of the native modes.',
  'ports.trunks': "VLANs of a trunk and ranges of them, such as `[10, '20-29']`. Default: all.",
  'ports.portSecurity':
    "Who may send from here: `MAC IP IP/LENGTH`, or objects. Without IPs any. Default: anybody. As Neutron's `allowed_address_pairs`, in the words of OVN.",
  'ports.portSecurity.mac': 'The MAC address.',
  'ports.portSecurity.ips': 'IP addresses and prefixes. Default: any.',
  'ports.ingressPolicingRate':
    "Kilobits a second taken from the port; 0: no limit. As OVS's `ingress_policing_rate`.",
  'ports.ingressPolicingBurst':
    "Kilobits at once; 0 with a rate: 8000. As OVS's `ingress_policing_burst`.",
  'ports.ingressPolicingKpktsRate':
    "Thousands of frames a second taken from the port; 0: no limit. As OVS's `ingress_policing_kpkts_rate`.",
  'ports.ingressPolicingKpktsBurst':
    "Thousands of frames at once; 0 with a rate: 16. As OVS's `ingress_policing_kpkts_burst`.",
  'ports.ingressPolicer':
    'Limit of what is taken from the port, in bytes without the Ethernet header; what is red is dropped. Instead of `ingressPolicingRate`.',
  'ports.ingressPolicer.cir':
    'Committed information rate: bytes a second. Alone with `cbs` it is one bucket.',
  'ports.ingressPolicer.cbs': 'Committed burst size: bytes at once.',
  'ports.ingressPolicer.ebs':
    'Excess burst size: bytes. Without `eir` it is filled by what `cbs` has no room for (srTCM, RFC 2697).',
  'ports.ingressPolicer.eir':
    'Excess information rate, on top of `cir` (RFC 4115): bytes a second.',
  'ports.ingressPolicer.pir': 'Peak information rate (trTCM, RFC 2698): bytes a second.',
  'ports.ingressPolicer.pbs': 'Peak burst size: bytes at once.',
  'ports.ingressPacketPolicer':
    'Limit of what is taken from the port, in frames. Instead of `ingressPolicingKpktsRate`.',
  'ports.ingressPacketPolicer.cir':
    'Committed information rate: frames a second. Alone with `cbs` it is one bucket.',
  'ports.ingressPacketPolicer.cbs': 'Committed burst size: frames at once.',
  'ports.ingressPacketPolicer.ebs':
    'Excess burst size: frames. Without `eir` it is filled by what `cbs` has no room for (srTCM, RFC 2697).',
  'ports.ingressPacketPolicer.eir':
    'Excess information rate, on top of `cir` (RFC 4115): frames a second.',
  'ports.ingressPacketPolicer.pir': 'Peak information rate (trTCM, RFC 2698): frames a second.',
  'ports.ingressPacketPolicer.pbs': 'Peak burst size: frames at once.',
  'ports.egressPolicer':
    "Limit of what is sent to the port, in bytes without the Ethernet header; what is red is dropped. As OVS's QoS types `egress-policer` and, with `eir` and `ebs`, `trtcm-policer`.",
  'ports.egressPolicer.cir':
    'Committed information rate: bytes a second. Alone with `cbs` it is one bucket.',
  'ports.egressPolicer.cbs': 'Committed burst size: bytes at once.',
  'ports.egressPolicer.ebs':
    'Excess burst size: bytes. Without `eir` it is filled by what `cbs` has no room for (srTCM, RFC 2697).',
  'ports.egressPolicer.eir': 'Excess information rate, on top of `cir` (RFC 4115): bytes a second.',
  'ports.egressPolicer.pir': 'Peak information rate (trTCM, RFC 2698): bytes a second.',
  'ports.egressPolicer.pbs': 'Peak burst size: bytes at once.',
  'ports.egressPacketPolicer': 'Limit of what is sent to the port, in frames.',
  'ports.egressPacketPolicer.cir':
    'Committed information rate: frames a second. Alone with `cbs` it is one bucket.',
  'ports.egressPacketPolicer.cbs': 'Committed burst size: frames at once.',
  'ports.egressPacketPolicer.ebs':
    'Excess burst size: frames. Without `eir` it is filled by what `cbs` has no room for (srTCM, RFC 2697).',
  'ports.egressPacketPolicer.eir':
    'Excess information rate, on top of `cir` (RFC 4115): frames a second.',
  'ports.egressPacketPolicer.pir': 'Peak information rate (trTCM, RFC 2698): frames a second.',
  'ports.egressPacketPolicer.pbs': 'Peak burst size: frames at once.',

  admin: 'The socket that `vswitch show` and the other commands talk to. A change needs a restart.',
  'admin.socket':
    'Absolute path of the socket. Default `/run/vswitch/admin.sock`; `$XDG_RUNTIME_DIR/vswitch/admin.sock` when not run by root.',
  'admin.mode': 'Its permission bits, in quotes. Who can write to it can do everything.',

  logging: 'The log, on standard error.',
  'logging.level': 'The least important messages that are logged.',
  'logging.format': 'Lines for people, or objects for machines.',

  metrics:
    "Metrics in Prometheus' text format over HTTP. Default: not served over TCP; the admin socket always has them.",
  'metrics.listen': 'Address and port to listen on.',
}
