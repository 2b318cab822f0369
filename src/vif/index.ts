/**
 * A vhost-user port as OpenStack, libvirt, QEMU, Open vSwitch and our switch see it: one description, made into and read
 * from the artefacts of each; and what is on this host. Needs no DPDK.
 *
 * @packageDocumentation
 */
export { describeProblem, type Problem } from '../config/config-error.js'
export { commandLineArguments, shellQuoted } from './command-line.js'
export { type Guest, type GuestOptions, newGuest } from './guest.js'
export * from './inspect/index.js'
export { libvirtDomain, libvirtInterface, libvirtMemory, parseLibvirt } from './libvirt.js'
export * from './migrate/index.js'
export {
  type NeutronPort,
  neutronPort,
  parseNeutron,
  type VifDetails,
  vifDetails,
} from './neutron.js'
export { type OvsdbRequest, ovsdbTransaction, ovsVsctlArguments, ovsVsctlCommand } from './ovs.js'
export { type OvsParseOptions, parseOvsdb, parseOvsShow } from './ovs-parse.js'
export {
  OvsPlugError,
  type OvsPlugged,
  type OvsPlugOptions,
  plugOvs,
  unplugOvs,
} from './ovs-plug.js'
export * from './ovsdb/index.js'
export { type ParseOptions, parseVifs, VIF_SOURCES, type VifSource } from './parse.js'
export type { Parsed } from './parsed.js'
export { PLUG_FACTS, PLUGS, type Plug, type PlugKey, vifName, vifSocketPath } from './plug.js'
export { portOptionsOf, roles, switchPortType } from './port-options.js'
export { parseQemu, qemuArguments, qemuGuestArguments, qemuPortArguments } from './qemu.js'
export { renderVifs, renderVifsText, VIF_ARTEFACTS, type VifArtefact } from './render.js'
export { newVif, RING_SIZES, VHOST_USER_MODES, type Vif, type VifOptions } from './vif.js'
