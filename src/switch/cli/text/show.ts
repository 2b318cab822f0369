import type { BridgeView, PortView, SwitchView } from '../../control.js'
import { counted } from '../../counted.js'
import type { Paint } from './paint.js'
import { stateStyle } from './port-state.js'

/** In the layout of `ovs-vsctl show`. */
export function showText(view: SwitchView, paint: Paint): string {
  const { version, dpdkVersion, pid, uptime, config, memory, bridges, lcores } = view
  const { kind, mib, frames } = memory
  return [
    paint('heading', `vswitch ${version}`),
    `    pid: ${pid}, up ${durationText(uptime)}`,
    `    config: ${quoted(config)}`,
    `    memory: ${mib} MiB ${kind}, ${frames} frames`,
    `    lcores: [${lcores.join(', ')}]`,
    ...bridges.flatMap((bridge) => bridgeLines(bridge, paint)),
    `    dpdk_version: ${quoted(dpdkVersion)}`,
  ].join('\n')
}

function bridgeLines(bridge: BridgeView, paint: Paint): string[] {
  const { name, decides, rules, program, macs, mirrors, ports } = bridge
  const decider = {
    normal: () => 'normal',
    flows: () => `flows (${counted(rules, 'rule')})`,
    program: () => `program ${quoted(program?.file ?? '')}`,
  }[decides]()
  const trouble = program?.aside
    ? [`        ${paint('bad', `error: "the program threw too often and was put aside"`)}`]
    : []
  return [
    `    Bridge ${paint('heading', name)}`,
    `        decides: ${decider}`,
    ...trouble,
    `        macs: ${macs.size} of ${macs.limit}`,
    ...ports.flatMap((port) => portLines(port, paint)),
    ...mirrors.flatMap((mirror) => [
      `        Mirror ${paint('heading', mirror.name)}`,
      mirror.outputPort === undefined
        ? `            output_vlan: ${mirror.outputVlan}`
        : `            output_port: ${mirror.outputPort}`,
      ...(mirror.snaplen === undefined ? [] : [`            snaplen: ${mirror.snaplen}`]),
      `            tx pkts=${mirror.frames}, bytes=${mirror.bytes}`,
    ]),
  ]
}

function portLines(port: PortView, paint: Paint): string[] {
  const { name, type, path, tag, trunks, vlanMode, state, status } = port
  const option = {
    dpdkvhostuserclient: 'vhost-server-path',
    dpdkvhostuser: 'vhost-path',
    dpdk: 'dpdk-devargs',
  }[type]
  const isDefaultMode = vlanMode === (tag === undefined ? 'trunk' : 'access')
  const place = [
    ...(tag === undefined ? [] : [`tag: ${tag}`]),
    ...(trunks.length === 0 ? [] : [`trunks: [${trunks.join(', ')}]`]),
    ...(isDefaultMode ? [] : [`vlan_mode: ${vlanMode}`]),
  ]
  return [
    `        Port ${paint('heading', name)}`,
    ...place.map((line) => `            ${line}`),
    `            Interface ${name}`,
    `                type: ${type}`,
    `                options: {${option}=${quoted(path)}}`,
    `                state: ${paint(stateStyle(port), state)}`,
    ...(status.adminState === 'down' ? ['                admin_state: down'] : []),
    ...(status.reason === undefined ? [] : [`                reason: ${quoted(status.reason)}`]),
  ]
}

function quoted(text: string): string {
  return JSON.stringify(text)
}

/** `1d 2h 3m 4s` */
export function durationText(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'm'],
    [whole % 60, 's'],
  ] as const
  const first = parts.findIndex(([count]) => count > 0)
  const told = first < 0 ? parts.slice(-1) : parts.slice(first)
  return told.map(([count, unit]) => `${count}${unit}`).join(' ')
}
