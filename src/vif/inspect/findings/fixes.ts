import { shellQuoted } from '../../command-line.js'
import type { SwitchPort } from '../facts.js'
import type { GuestEnd } from '../wires.js'

/** Commands that change the domain of a guest for good and start it again. @param scripts - of sed, over its XML */
function editDomain(end: GuestEnd, ...scripts: string[]): string {
  const name = shellQuoted(end.vm)
  const sed = scripts.map((script) => `-e "${script.replaceAll(/[\\"$`]/g, '\\$&')}"`).join(' ')
  return `virsh dumpxml --inactive ${name} | sed ${sed} | virsh define /dev/stdin && ${restart(end)}`
}

/** A guest takes another domain only when it is started, not when it reboots. */
export function restart({ vm, isRunning, manager }: GuestEnd): string {
  const name = shellQuoted(vm)
  if (manager === undefined) return `start the QEMU of ${name} again`
  if (!isRunning) return `virsh start ${name}`
  return `virsh shutdown ${name}  # and when it is off: virsh start ${name}`
}

/** How QEMU comes to have that role. */
export function qemuTakes(role: 'client' | 'server', end: GuestEnd): string {
  const { vm, uuid, vif, manager } = end
  if (manager === 'Nova') {
    const id = uuid ?? vm
    return `openstack server migrate ${id} && openstack server migration confirm ${id}  # Nova takes the role from Neutron's port binding anew`
  }
  if (manager === undefined) {
    const option = `-chardev socket,path=${vif.socket}`
    return role === 'server'
      ? `start QEMU again with ${option},server=on,wait=off`
      : `start QEMU again with ${option},reconnect=1 and without server=on`
  }
  const path = sedLiteral(vif.socket)
  const from = role === 'server' ? 'client' : 'server'
  return editDomain(end, `s|path='${path}' mode='${from}'|path='${vif.socket}' mode='${role}'|`)
}

/** How a port of a switch comes to have that role. */
export function switchTakes(role: 'client' | 'server', port: SwitchPort): string {
  const name = shellQuoted(port.name)
  const path = shellQuoted(port.socket)
  if (port.switch === 'OVS')
    return role === 'client'
      ? `ovs-vsctl set Interface ${name} type=dpdkvhostuserclient options:vhost-server-path=${path}`
      : `ovs-vsctl remove Interface ${name} options vhost-server-path -- set Interface ${name} type=dpdkvhostuser`
  const type = role === 'client' ? 'dpdkvhostuserclient' : 'dpdkvhostuser'
  const bridge = port.bridge === undefined ? '' : ` --bridge ${shellQuoted(port.bridge)}`
  return `vswitch port delete ${name} && vswitch port add ${name} type=${type} path=${path}${bridge}  # and the same in the configuration`
}

/** How a guest comes to have memory that a switch can map. */
export function shareMemory(end: GuestEnd): string {
  const { vm, uuid, manager } = end
  // What is changed is the domain, not what runs.
  const guest = end.next?.guest ?? end.guest
  if (manager === 'Nova')
    return `openstack flavor set FLAVOR --property hw:mem_page_size=large && openstack server migrate ${uuid ?? vm}  # to the flavor of the server; resize it if the flavor is new`
  if (manager === undefined)
    return `start QEMU again with -object memory-backend-memfd,id=mem,size=${guest?.memoryMiB ?? 1024}M,share=on -numa node,memdev=mem`
  const backing =
    guest?.memory === 'anonymous'
      ? "s|<vcpu|<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking><vcpu|"
      : "s|</memoryBacking>|<access mode='shared'/></memoryBacking>|"
  return editDomain(end, "s|memAccess='private'|memAccess='shared'|", '/<access mode=/d', backing)
}

function sedLiteral(text: string): string {
  return text.replaceAll(/[\\.*[\]^$|&]/g, '\\$&').replaceAll("'", '&apos;')
}
