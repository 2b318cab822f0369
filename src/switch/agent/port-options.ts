import { type NeutronPort, newVif, parseNeutron, portOptionsOf, type Vif } from 'dpdk-vhost/vif'
import * as z from 'zod'
import type { Binding } from './binding.js'

const text = z.string()

/** What Neutron says of a port beyond how it is bound. */
const portSchema = z.looseObject({
  mac_address: text.optional(),
  admin_state_up: z.boolean().optional(),
  port_security_enabled: z.boolean().optional(),
  fixed_ips: z.array(z.looseObject({ ip_address: text })).default([]),
  allowed_address_pairs: z
    .array(z.looseObject({ mac_address: text.optional(), ip_address: text }))
    .default([]),
})

const networkSchema = z.looseObject({
  mtu: z.number().optional(),
  'provider:network_type': text.nullish(),
  'provider:segmentation_id': z.number().nullish(),
})

const ruleSchema = z.looseObject({
  type: text,
  direction: z.enum(['egress', 'ingress']).default('egress'),
  max_kbps: z.number().optional(),
  max_burst_kbps: z.number().optional(),
  max_kpps: z.number().optional(),
  max_burst_kpps: z.number().optional(),
})

const policySchema = z.looseObject({ rules: z.array(ruleSchema).default([]) })

/** Port, network and QoS policy as Neutron's API has them, and keys of the switch's port that come before what follows from these. */
const documentSchema = z.strictObject({
  port: z.looseObject({}),
  network: networkSchema.optional(),
  qos_policy: policySchema.nullish(),
  switch: z.record(text, z.unknown()).optional(),
})

type Port = z.output<typeof portSchema>
type Network = z.output<typeof networkSchema>
type Rule = z.output<typeof ruleSchema>

/** OVS's agent takes so much of the rate for the burst where Neutron gives none (`DEFAULT_BURST_RATE`). */
const DEFAULT_BURST = 0.8

/**
 * The switch's port of a Neutron port: VLAN, MTU, port security, QoS and administrative state.
 *
 * @param document - `{ port, network?, qos_policy?, switch? }`
 * @throws Error naming field, value and fix
 */
export function neutronBinding(key: string, document: unknown): Binding {
  const { port, network, qos_policy: policy, switch: more } = parse(documentSchema, document)
  const { vifs, warnings } = parseNeutron({ port: port as unknown as NeutronPort, network })
  const warned = warnings.map(({ path, message, fix }) => `${path} ${message}; ${fix}`)
  const known = parse(portSchema, port)
  const rules = (policy?.rules ?? []).map((rule) => limitOf(rule, warned))
  return bindingOf(key, vifs[0] as Vif, warned, {
    ...vlanOf(network),
    ...securityOf(known),
    ...(known.admin_state_up === false ? { adminState: 'down' } : {}),
    ...Object.assign({}, ...rules),
    ...more,
  })
}

/** The switch's port of a description, as `vswitch vif parse --json` prints it. */
export function vifBinding(key: string, document: Readonly<Record<string, unknown>>): Binding {
  const { switch: more, ...vif } = document
  const { queues } = vif
  return bindingOf(key, newVif(vif as never), [], {
    ...(queues === undefined ? {} : { queues }),
    ...parse(z.record(text, z.unknown()).default({}), more),
  })
}

function bindingOf(key: string, vif: Vif, warnings: readonly string[], more: object): Binding {
  if (vif.plug !== 'generic') {
    const fix = "os-vif does it, or, for ovs, 'vswitch vif plug'"
    throw new Error(`plug = "${vif.plug}" is not done by the agent of this switch; ${fix}`)
  }
  // Without a number the switch takes as many queues as the guest has, up to 16.
  const { queues: _queues, ...port } = portOptionsOf(vif)
  const options = { ...port, ...(vif.bridge === undefined ? {} : { bridge: vif.bridge }), ...more }
  return { key, name: String(options.name), options, warnings }
}

/** Without a tag a port of the switch, as of OVS, is a trunk of all VLANs: a guest's port never is by accident. */
function vlanOf(network: Network | undefined): object {
  const type = network?.['provider:network_type'] ?? undefined
  if (type === undefined || type === 'flat') return { tag: 0 }
  if (type === 'vlan') return { tag: network?.['provider:segmentation_id'] ?? 0 }
  const fix = 'use a vlan or a flat network: this switch has no tunnels'
  throw new Error(`network.provider:network_type = "${type}" cannot be reached; ${fix}`)
}

function securityOf({ port_security_enabled: isOn, ...port }: Port): object {
  if (isOn !== true || port.mac_address === undefined) return {}
  const own = { mac: port.mac_address, ips: port.fixed_ips.map((ip) => ip.ip_address) }
  const pairs = port.allowed_address_pairs.map((pair) => {
    return { mac: pair.mac_address ?? own.mac, ips: [pair.ip_address] }
  })
  // No address at all would mean any.
  return { portSecurity: own.ips.length > 0 || pairs.length === 0 ? [own, ...pairs] : pairs }
}

/** `egress` and `ingress` are the guest's: what the switch calls ingress comes from it. */
function limitOf(rule: Rule, warnings: string[]): object {
  const { type, direction, max_kbps: kbps = 0, max_kpps: kpps = 0 } = rule
  if (type === 'bandwidth_limit' && kbps > 0) {
    const burst = rule.max_burst_kbps || Math.ceil(kbps * DEFAULT_BURST)
    if (direction === 'egress') {
      return { ingressPolicingRate: kbps, ingressPolicingBurst: burst }
    }
    return { egressPolicer: { cir: (kbps * 1000) / 8, cbs: (burst * 1000) / 8 } }
  }
  if (type === 'packet_rate_limit' && kpps > 0) {
    const burst = rule.max_burst_kpps || Math.ceil(kpps * DEFAULT_BURST)
    if (direction === 'egress') {
      return { ingressPolicingKpktsRate: kpps, ingressPolicingKpktsBurst: burst }
    }
    return { egressPacketPolicer: { cir: kpps * 1000, cbs: burst * 1000 } }
  }
  warnings.push(`QoS rule of type ${type} is not applied; it needs no switch, or ours has none`)
  return {}
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data as z.output<Schema>
  const lines = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Error(`${lines.join('; ')}; give a port as Neutron's API prints it`)
}
