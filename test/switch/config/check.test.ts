/** What is wrong with a configuration is said: all of it, where it is, and what to do. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { checkConfig, reportLine } from '../../../src/switch/config/index.js'
import { Folder } from './folder.js'

/** Problems of a text as lines, without the file's name. */
function problems(text: string, file = 'vswitch.yaml'): string[] {
  return checkConfig(text, { file }).problems.map((one) => reportLine(one).slice(file.length + 1))
}

function warnings(text: string): string[] {
  const { problems, warnings } = checkConfig(text, { file: 'f' })
  assert.deepEqual(problems, [])
  return warnings.map((one) => reportLine(one).slice(2))
}

const PORT = 'type: dpdkvhostuserclient, path: /tmp/vswitch-none'
const ports = (...names: string[]) =>
  ['ports:', ...names.map((name) => `  - { name: ${name}, ${PORT}/${name} }`), ''].join('\n')

suite('defaults', () => {
  test('two ports are a whole configuration', () => {
    const { spec, problems, warnings } = checkConfig(ports('a', 'b'))
    assert.deepEqual([...problems, ...warnings], [])
    assert.deepEqual(spec?.datapath, {
      memory: 'auto',
      memoryMiB: 256,
      mtu: 1500,
      ealArgs: [],
      peerTimeoutMs: 1000,
    })
    assert.deepEqual(
      spec?.lcores.map(({ name, ports, idle }) => ({ name, ports, idle })),
      [{ name: 'lcore0', ports: 'all', idle: 'adaptive' }],
    )
    assert.deepEqual(spec.bridges, [
      {
        name: 'br0',
        ageing: 300,
        tableSize: 8192,
        forwardBpdu: false,
        staticMacs: [],
        stormLimit: { broadcast: undefined, multicast: undefined, unknownUnicast: undefined },
        loopGuard: { moves: 10, withinMs: 1000, holdMs: 5000 },
        local: undefined,
        flows: undefined,
        meters: [],
        program: undefined,
        mirrors: [],
      },
    ])
    assert.deepEqual(spec.ports[1]?.attachment, {
      bridge: 'br0',
      vlanMode: 'trunk',
      tag: undefined,
      trunks: [],
      portSecurity: undefined,
      ingressPolicingRate: 0,
      ingressPolicingBurst: 0,
      ingressPolicingKpktsRate: 0,
      ingressPolicingKpktsBurst: 0,
      ingressPolicer: undefined,
      ingressPacketPolicer: undefined,
      egressPolicer: undefined,
      egressPacketPolicer: undefined,
    })
    assert.deepEqual(spec.ports[1]?.port, {
      name: 'b',
      type: 'dpdkvhostuserclient',
      path: '/tmp/vswitch-none/b',
      queues: 16,
      adminState: 'up',
      rxAffinity: {},
      txRetriesMax: 8,
      vringStats: false,
      flapLimit: 10,
      reconnect: { firstDelayMs: 1, maxDelayMs: 1000, jitter: 0.2 },
    })
    assert.equal(spec.admin.mode, 0o600)
    assert.deepEqual(spec.logging, { level: 'info', format: 'text' })
    assert.equal(spec.metrics, undefined)
  })

  test('short forms are written out', () => {
    const { spec } = checkConfig(`
bridges: [{ name: br1, local: true, program: { file: ${import.meta.filename}, data: { mode: 3 } } }]
ports:
  - name: a
    ${PORT.replace(', ', '\n    ')}
    vlanMode: native-untagged
    trunks: [30, '20-22', 21]
    portSecurity: ['FA-16-3E-00-00-01 10.0.0.1 2001:db8::/64', { mac: 'fa:16:3e:00:00:02' }]
    ingressPolicingRate: 100
metrics: {}
admin: { mode: '0660' }
`)
    const attachment = spec?.ports[0]?.attachment
    assert.deepEqual(attachment?.trunks, [20, 21, 22, 30])
    assert.deepEqual(attachment.portSecurity, [
      { mac: 'fa:16:3e:00:00:01', ips: ['10.0.0.1', '2001:db8::/64'] },
      { mac: 'fa:16:3e:00:00:02', ips: [] },
    ])
    assert.equal(attachment.tag, 0)
    assert.equal(attachment.ingressPolicingBurst, 8000)
    assert.deepEqual(spec?.bridges[0]?.local, { iface: 'br1', addresses: [], mac: undefined })
    assert.deepEqual(spec.bridges[0].program, { file: import.meta.filename, data: { mode: 3 } })
    assert.deepEqual(spec.metrics, { listen: '127.0.0.1:9475' })
    assert.equal(spec.admin.mode, 0o660)
  })

  test('JSON is taken as well, and merged anchors', () => {
    const json = `{ "ports": [{ "name": "a", "type": "dpdk", "devargs": "net_null0" }] }`
    assert.equal(checkConfig(json, { file: 'a.json' }).spec?.ports[0]?.port.name, 'a')
    const yaml = `ports:
- &a { name: a, type: dpdk, devargs: net_null0, tag: 5 }
- { <<: *a, name: b, devargs: net_null1 }
- { <<: *a, name: c, devargs: net_null2, tagg: 3 }
`
    assert.deepEqual(problems(yaml), [
      '4:42: ports[2].tagg = 3 is not an option; did you mean tag?',
    ])
    const { spec } = checkConfig(yaml.replace('tagg', 'tag'))
    assert.deepEqual(
      spec?.ports.map(({ attachment }) => attachment.tag),
      [5, 5, 3],
    )
  })
})

test('every problem is named at once, in the order of the lines', () => {
  using folder = new Folder()
  folder.write(
    'x.flows',
    '# comment\n\nin_port=a,actions=output:b\n  tcp,tp_dst=99999,actions=drop # no\n',
  )
  const file = `${folder.path}/vswitch.yaml`
  const text = `datapath: { mtu: 9000, memory: hugepage }
lcores:
  - { cpu: 1, ports: [a, nope] }
  - { name: lcore0 }
bridges:
  - name: br0
    aging: 5
    mac-table-size: 8
    staticMacs:
      - { mac: '01:00:5e:00:00:01', port: zzz }
      - { mac: '02:00:00:00:00:01', port: a }
      - { mac: '02-00-00-00-00-01', port: a }
    flows:
      - in_port=a,actions=output:b
      - in_port=a,actions=meter:3,output:b
      - priority=10,in_port=a actoins=drop
      - { match: { tcp: true, tp_dst: 99999 }, actions: [drop] }
      - 7
    mirrors:
      - { name: m, outputPort: a, selectSrcPort: [a] }
      - { name: m, outputPort: a, selectAll: yes }
    local: { iface: averyveryverylongname, addresses: [10.0.0.1] }
    meters: [{ id: 1, rate: 5 }, { id: 1, rate: 5 }]
    program: ./absent.ts
  - { name: br2, flowsFile: x.flows, local: true }
  - { name: br2, flowsFile: x.flows, flows: [] }
ports:
  - name: a
    type: dpdkvhostuserclient
    path: /tmp/vswitch-none/a
    vlan_mode: access
    tag: 010
    trunks: [10, '30-20', 5000, true, abc]
  - name: b
    type: dpdkvhostuserclient
    vhost-server-path: /tmp/x
    path: /tmp/vswitch-none//a
    vlanMode: acess
    rxAffinity: { 0: lcore7 }
    bridge: br1
    ingress_policing_rate: 100
    portSecurity: ['fa:16:3e:00:00:01 10.0.0.1/33', { mac: x, foo: 1 }, 5]
    mtu: 9500
  - name: 5
    type: dpdk
    egressPolicer: { cir: -1 }
    adminState: on
  - foo
  - name: br2
    type: vhostuser
    path:
admin: { mode: 0600, socket: relative }
logging: { level: warn }
metrics: { listen: 9475 }
frob: 1
`
  const lines = checkConfig(text, { file }).problems.map((one) =>
    reportLine(one).replaceAll(`${folder.path}/`, '').replace('vswitch.yaml:', ''),
  )
  const expected = `
1:24: datapath.memory = "hugepage" is not a choice; did you mean hugepages?
3:26: lcores[0].ports[1] = "nope" is no port; there are "a", "b", "br2", "averyveryverylongname"
4:7: lcores[1].name = "lcore0" is the name of another lcore
7:5: bridges[0].aging = 5 is not an option; did you mean ageing?
8:5: bridges[0].mac-table-size = 8 is not an option; OVS's mac-table-size is tableSize here
10:11: bridges[0].staticMacs[0].mac = "01:00:5e:00:00:01" is the address of a group
10:37: bridges[0].staticMacs[0].port = "zzz" is no port of the bridge
12:11: bridges[0].staticMacs[2].mac = "02:00:00:00:00:01" is there already for that VLAN
13:5: bridges[0].flows cannot be given beside program
15:9: bridges[0].flows[1] = "in_port=a,actions=meter:3,output:b" names meter 3
16:9: bridges[0].flows[2] = "priority=10,in_port=a actoins=drop" has no actions
17:31: bridges[0].flows[3].match.tp_dst = 99999
18:9: bridges[0].flows[4] = 7 is not a rule
20:51: bridges[0].mirrors[0].selectSrcPort[0] = "a" is the port that gets the copies
21:11: bridges[0].mirrors[1].name = "m" is the name of another mirror of the bridge
21:35: bridges[0].mirrors[1].selectAll = "yes" is a string; write true
22:14: bridges[0].local.iface = "averyveryverylongname" is too long
22:56: bridges[0].local.addresses[0] = "10.0.0.1" has no prefix length; give one, such as 10.0.0.1/24
23:36: bridges[0].meters[1].id = 1 is the id of another meter
24:5: bridges[0].program = "absent.ts" does not exist
25:38: bridges[1].local = "br2" is the name of another port
26:7: bridges[2].name = "br2" is the name of another bridge
26:18: bridges[2].flowsFile cannot be given beside flows
31:5: ports[0].vlan_mode = "access" is not an option; did you mean vlanMode?
32:10: ports[0].tag = 10 is written 010, which is not octal; write 10, or 0o10
33:18: ports[0].trunks[1] = "30-20" ends before it begins; write '20-30'
33:27: ports[0].trunks[2] = 5000 is more than 4095; give a VLAN from 0 to 4095
33:33: ports[0].trunks[3] = true is a boolean; give a VLAN from 0 to 4095
33:39: ports[0].trunks[4] = "abc" is not a range of VLANs
36:5: ports[1].vhost-server-path = "/tmp/x" is not an option; OVS's vhost-server-path is path here
37:5: ports[1].path = "/tmp/vswitch-none//a" is the socket of port "a"
38:5: ports[1].vlanMode = "acess" is not a choice; did you mean access?
39:19: ports[1].rxAffinity.0 = "lcore7" is no lcore; did you mean lcore0?
40:5: ports[1].bridge = "br1" is no bridge; did you mean br0?
41:5: ports[1].ingress_policing_rate = 100 is not an option; did you mean ingressPolicingRate?
42:20: ports[1].portSecurity[0] = "fa:16:3e:00:00:01 10.0.0.1/33" has "10.0.0.1/33", which has the prefix length 33
42:55: ports[1].portSecurity[1].mac = "x" is not a MAC address
42:63: ports[1].portSecurity[1].foo = 1 is not an option; the options are mac, ips
42:73: ports[1].portSecurity[2] = 5 is a number; give an address as 'MAC IP IP/LENGTH' or as { mac, ips }
43:5: ports[1].mtu = 9500 is above the datapath's MTU of 9000
44:5: ports[2].name = 5 is a number; write '5', in quotes
44:5: ports[2].devargs is missing
46:5: ports[2].egressPolicer.cbs is missing
46:22: ports[2].egressPolicer.cir = -1 is less than 1
47:5: ports[2].adminState = "on" is not a choice; did you mean up?
48:5: ports[3] = "foo" is not an object; give { name: vhost0
50:5: ports[4].type = "vhostuser" is not a type of port; the types are dpdkvhostuserclient
51:5: ports[4].path = null has no value
52:16: admin.mode = 600 is written 0600, a decimal number, and permission bits are octal; write '0600', in quotes
52:22: admin.socket = "relative" is a relative path
53:12: logging.level = "warn" is not a choice; did you mean warning?
54:12: metrics.listen = 9475 is a number; give an address and a port, such as 127.0.0.1:9475
55:1: frob = 1 is not an option
x.flows:4:3: match.tp_dst = "99999" is no value`
    .trim()
    .split('\n')
  const unexpected = lines.filter((line) => !expected.some((start) => line.startsWith(start)))
  const missing = expected.filter((start) => !lines.some((line) => line.startsWith(start)))
  assert.deepEqual({ unexpected, missing }, { unexpected: [], missing: [] })
  assert.equal(lines.length, expected.length)
  const places = lines.slice(0, -1).map((line) => Number(line.split(':')[0]))
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
})

suite('what is no YAML', () => {
  const cases: [name: string, text: string, problem: RegExp][] = [
    ['an empty file', '', /^ is empty; begin with a list of ports/],
    ['comments alone', '# nothing\n', /^1:1: is empty/],
    ['a tab', 'ports:\n\t- a', /^2:1: is indented by a tab; YAML wants spaces/],
    ['a key that is there twice', 'ports: []\nports: []', /^2:1: has a key that is there already/],
    ['a list', '[1, 2]', /^1:1: \[1,2\] is a list; give keys such as ports:/],
    ['a text', 'ports', /^1:1: "ports" is not an object/],
    ['a list that does not end', 'ports: [\n', /: is not YAML: flow sequence/],
    ['a text that does not end', 'ports: "x', /^1:10: is not YAML: missing closing "quote/],
    ['two colons', 'ports: a: b', /^1:8: has a second colon on the line; put the value in quotes/],
    ['a tag', 'ports: !!python/object []', /^1:8: has a tag/],
    ['a second document', '---\nports: []\n---\nports: []\n', /^3:1: begins a second document/],
    ['YAML 1.1', '%YAML 1.1\n---\nports: []\n', /^1:1: is YAML 1\.1; remove the line/],
    ['an anchor of nothing', 'ports: *x', /^1:8: ports refers to an anchor .* x; write &x/],
    ['an anchor in itself', 'ports: &a [*a]', /^1:12: ports\[0\] contains itself; write it out/],
    ['depth', `ports: ${'['.repeat(100)}${']'.repeat(100)}`, /is nested more than 64 levels deep/],
    ['endless depth', `ports: ${'['.repeat(50_000)}`, /is nested more than 64 levels deep/],
    ['many anchors', `x: &x 1\nports:\n${'- *x\n'.repeat(5000)}`, /^1003:3: repeats anchors/],
    ['an alias bomb', bomb(), /repeats anchors \(\*name\) too often/],
    ['a key that is a list', '? [a]\n: 1', /has a key that is no text/],
    ['a null', 'ports:\n', /^1:1: ports = null has no value; give a list such as/],
    ['an object for a list', 'ports: { a: 1 }', /^1:1: ports = {"a":1} is an object; give a list/],
    ['no bridges', 'bridges: []', /^1:1: bridges = \[\] is empty; give a list such as/],
    ['__proto__', '__proto__: { ports: [] }', /^1:1: __proto__ = .* is not an option/],
    ['constructor', 'constructor: 1', /^1:1: constructor = 1 is not an option; the options are/],
    ['what belongs elsewhere', 'flows: []', /rules belong to a bridge: bridges/],
  ]
  for (const [name, text, expected] of cases) {
    test(name, () => {
      const [first = 'none', ...more] = problems(text)
      assert.match(first, expected)
      assert.deepEqual(more, [])
    })
  }

  test('JSON that is none', () => {
    assert.match(
      problems('{"ports": [] "b": 2}', 'a.json')[0] ?? '',
      /^1:14: is not JSON: expected ','/,
    )
    assert.match(problems('{\n"ports": [],\n}', 'a.json')[0] ?? '', /^3:1: is not JSON/)
    assert.match(problems('{"ports": [', 'a.json')[0] ?? '', /^1:12: is not JSON: unexpected end/)
    assert.match(
      problems('{"ports": [], "ports": []}', 'a.json')[0] ?? '',
      /^1:15: has a key that is/,
    )
    assert.match(
      problems('{"admin": {"mode": 384}}', 'a.json')[0] ?? '',
      /^1:20: admin.mode = 384 is written 384, a decimal number.*write '0600'/,
    )
    assert.deepEqual(problems('{\n\t"ports": []\n}', 'a.json'), [])
  })
})

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 10; i++)
    lines.push(
      `a${i}: &a${i} [${Array(9)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  return lines.join('\n')
}

suite('what can be but is hardly meant', () => {
  const one = (more: string) => `ports: [{ name: a, ${PORT}/a, ${more} }]`
  const flows = (...rules: string[]) =>
    `${ports('a', 'b')}bridges:\n- name: br0\n  flows:\n${rules.map((rule) => `  - ${rule}\n`).join('')}`
  const cases: [name: string, text: string, warning: RegExp][] = [
    [
      'trunks of an access port',
      one('tag: 5, trunks: [6]'),
      /^1:\d+: ports\[0\]\.trunks = \[6\] is not used: a port with a tag/,
    ],
    [
      'the tag of a trunk',
      one('vlanMode: trunk, tag: 5'),
      /ports\[0\]\.tag = 5 is not used: a trunk has no VLAN/,
    ],
    [
      'a native port without a tag',
      one('vlanMode: native-tagged'),
      /vlanMode = "native-tagged" has no tag/,
    ],
    ['nobody may send', one('portSecurity: []'), /portSecurity = \[\] allows no address/],
    ['a burst without a rate', one('ingressPolicingBurst: 5'), /is not used without a rate/],
    [
      'a burst of frames without a rate',
      one('ingressPolicingKpktsBurst: 5'),
      /Burst = 5 is not used without a rate; give ingressPolicingKpktsRate/,
    ],
    [
      'a peak burst below a frame',
      one('ingressPolicer: { cir: 5, cbs: 9000, pir: 6, pbs: 1000 }'),
      /ingressPolicer.pbs = 1000 is less than a frame of 1500 bytes/,
    ],
    [
      'a burst below a frame',
      one('egressPolicer: { cir: 5, cbs: 1000 }'),
      /cbs = 1000 is less than a frame of 1500 bytes/,
    ],
    [
      'a rule of no port',
      flows('in_port=c,actions=drop'),
      /^7:5: bridges\[0\]\.flows\[0\] = .* names port "c", which the bridge does not have/,
    ],
    [
      'a rule with a copy for a controller',
      flows('ip,actions=drop', 'actions=controller,normal'),
      /^8:5: .*flows\[1\] = .* has a copy for a controller, which there is none of.*; remove/,
    ],
    [
      'a rule that is there',
      flows('ip,actions=drop', 'ip, actions=normal'),
      /^8:5: .* takes the place of the rule in line 7/,
    ],
    [
      'no rules',
      `${ports('a')}bridges: [{ name: br0, flows: [] }]`,
      /has no rules: every frame is dropped/,
    ],
    [
      'a mirror of nothing',
      `${ports('a')}bridges: [{ name: br0, mirrors: [{ name: m, outputPort: a }] }]`,
      /mirrors\[0\] selects nothing/,
    ],
    [
      'a port that is not polled',
      `${ports('a', 'b')}lcores: [{ ports: [a] }]`,
      /^3:5: ports\[1\] is polled by no lcore/,
    ],
  ]
  for (const [name, text, expected] of cases) {
    test(name, () => {
      const [first = 'none', ...more] = warnings(text)
      assert.match(first, expected)
      assert.deepEqual(more, [])
    })
  }

  test('of two rules of one match the last is kept', () => {
    const { spec } = checkConfig(flows('ip,actions=drop', 'arp,actions=drop', 'ip, actions=normal'))
    assert.deepEqual(
      new Set(spec?.bridges[0]?.flows),
      new Set(['arp,actions=drop', 'ip, actions=normal']),
    )
  })
})

test('a port is of one bridge, and rules, addresses and mirrors are of ports of it', () => {
  const text = `
bridges: [{ name: br0, local: { iface: tap0 } }, { name: br1, staticMacs: [{ mac: '02:00:00:00:00:01', port: a }] }]
lcores: [{ ports: [a, tap0] }]
ports: [{ name: a, ${PORT}/a }]`
  assert.match(
    problems(text)[0] ?? '',
    /staticMacs\[0\]\.port = "a" is no port of the bridge; there is none/,
  )
  assert.deepEqual(
    problems(
      text
        .replace('port: a }', 'port: a }')
        .replace('bridges: [{ name: br0', 'bridges: [{ name: br9')
        .replace('name: a,', 'name: a, bridge: br1,'),
    ),
    [],
  )
})

test('there are at most 1024 ports, those of bridges included', () => {
  const names = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`)
  assert.deepEqual(problems(ports(...names(1024))), [])
  assert.deepEqual(problems(`${ports(...names(1024))}bridges: [{ name: br0, local: true }]`), [
    '1:1: ports are 1025 with those of the bridges; give at most 1024',
  ])
})

test('a mirror has one output, and keeps of a copy what a frame can have', () => {
  const mirrors = (...given: string[]) =>
    problems(
      `${ports('a')}bridges: [{ name: br0, mirrors: [${given.map((more, i) => `{ name: m${i}, selectAll: true${more} }`)}] }]`,
    ).map((line) => line.replace(/^.*mirrors/, ''))
  const fix = 'give either outputPort or outputVlan'
  assert.deepEqual(
    mirrors(
      '',
      ', outputPort: a, outputVlan: 7',
      ', outputVlan: 0',
      ', outputVlan: 7, snaplen: 13',
    ),
    [
      `[0] has no output; ${fix}`,
      `[1] has two outputs; ${fix}`,
      '[2].outputVlan = 0 is less than 1; give a whole number from 1 to 4095',
      '[3].snaplen = 13 is less than 14; give a whole number from 14 to 65535',
    ],
  )
  assert.deepEqual(mirrors(', outputVlan: 4095, snaplen: 14', ', outputPort: a'), [])
})
