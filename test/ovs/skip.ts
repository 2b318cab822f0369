import { findOvs } from '../../bench/ovs/find.js'

/** Why OVS cannot be compared with on this machine. */
export function reasonToSkip(): string | false {
  try {
    findOvs()
  } catch (error) {
    return (error as Error).message
  }
  return process.getuid?.() === 0 ? false : 'OVS needs root: its bridge is a network interface'
}
