import {
  portOptions,
  type VhostUserClientPortOptions,
  type VhostUserPortOptions,
  validate,
} from '../config/index.js'
import type { Vif } from './vif.js'

/**
 * The port of our switch: its role is the inverse of QEMU's.
 *
 * @throws {@link ConfigError} when the switch cannot have such a port: more than 16 queue pairs, a name that is no port's
 */
export function portOptionsOf(vif: Vif): VhostUserClientPortOptions | VhostUserPortOptions {
  const port = {
    name: vif.name,
    type: switchPortType(vif),
    path: vif.socket,
    queues: vif.queues,
    ...(vif.mtu === undefined ? {} : { mtu: vif.mtu }),
  }
  validate(portOptions, port, `port ${JSON.stringify(vif.name)}`)
  return port
}

/** Type of the switch's port, ours or that of OVS. */
export function switchPortType({ qemuMode }: Vif): 'dpdkvhostuserclient' | 'dpdkvhostuser' {
  return qemuMode === 'server' ? 'dpdkvhostuserclient' : 'dpdkvhostuser'
}

/** Both roles in words, for people who have to find out why a port is not connected. */
export function roles(vif: Vif): string[] {
  const lines =
    vif.qemuMode === 'server'
      ? [
          `QEMU is the server: it makes ${vif.socket} and listens.`,
          'The switch is the client (dpdkvhostuserclient): it connects, and again whenever either side was restarted.',
        ]
      : [
          `The switch is the server (dpdkvhostuser): it makes ${vif.socket} and listens.`,
          vif.reconnect === undefined
            ? 'QEMU is the client: it connects once, when it starts. After a restart of the switch the guest has no network until it is restarted too.'
            : `QEMU is the client: it connects, and after a restart of the switch again within ${vif.reconnect} s.`,
        ]
  const plugged =
    vif.plug === 'generic'
      ? 'Nova does nothing on the host: the switch or its agent adds the port.'
      : `Nova has os-vif's plugin add the port (vhostuser, plug ${vif.plug}).`
  return [...lines, plugged]
}
