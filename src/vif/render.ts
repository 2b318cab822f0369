import { shellQuoted } from './command-line.js'
import type { Guest } from './guest.js'
import { libvirtDomain } from './libvirt.js'
import { neutronPort, vifDetails } from './neutron.js'
import { ovsdbTransaction, ovsVsctlCommand } from './ovs.js'
import { portOptionsOf, roles } from './port-options.js'
import { qemuArguments } from './qemu.js'
import type { Vif } from './vif.js'

/** What can be made of a description. */
export const VIF_ARTEFACTS = [
  'roles',
  'vswitch',
  'libvirt',
  'qemu',
  'ovs',
  'ovsdb',
  'details',
  'neutron',
] as const

/** One of {@link VIF_ARTEFACTS}. */
export type VifArtefact = (typeof VIF_ARTEFACTS)[number]

/** An artefact as typed values, or as the text of commands and XML. */
export function renderVifs(artefact: VifArtefact, vifs: readonly Vif[], guest: Guest): unknown {
  switch (artefact) {
    case 'roles':
      return vifs.map((vif) => ({ name: vif.name, roles: roles(vif) }))
    case 'vswitch':
      return { ports: vifs.map(portOptionsOf) }
    case 'libvirt':
      return libvirtDomain(vifs, guest)
    case 'qemu':
      return qemuArguments(vifs, guest)
    case 'ovs':
      return vifs.map(ovsVsctlCommand)
    case 'ovsdb':
      return vifs.map(ovsdbTransaction)
    case 'details':
      return vifs.map(vifDetails)
    case 'neutron':
      return vifs.map(neutronPort)
  }
}

/** An artefact as text to paste. */
export function renderVifsText(artefact: VifArtefact, vifs: readonly Vif[], guest: Guest): string {
  switch (artefact) {
    case 'roles':
      return vifs.map((vif) => [`${vif.name}:`, ...roles(vif)].join('\n  ')).join('\n')
    case 'libvirt':
      return libvirtDomain(vifs, guest)
    case 'qemu':
      return optionLines(qemuArguments(vifs, guest)).join(' \\\n')
    case 'ovs':
      return vifs.map(ovsVsctlCommand).join('\n')
    default: {
      const values = renderVifs(artefact, vifs, guest)
      const documents = Array.isArray(values) ? values : [values]
      return documents.map((value) => JSON.stringify(value, undefined, 2)).join('\n')
    }
  }
}

/** One option with its value a line. */
function optionLines(args: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < args.length; i += 2) {
    lines.push(
      args
        .slice(i, i + 2)
        .map(shellQuoted)
        .join(' '),
    )
  }
  return lines
}
