import assert from 'node:assert/strict'
import { parseLibvirt, parseOvsShow, parseQemu, type Vif } from '../../../src/vif/index.js'
import type { Machine } from './machine.js'

/** What the articles about migration show of a guest of OVS, printed here and read by us. */
export interface Transcripts {
  readonly ovs: Vif
  readonly libvirt: Vif
  readonly qemu: Vif
  /** `user:group` of `ovs-vswitchd` and of QEMU, and of the socket. */
  readonly owners: { readonly ovs: string; readonly qemu: string; readonly socket: string }
}

export function transcripts(machine: Machine, vm: string, socket: string): Transcripts {
  const show = machine.must('ovs-vsctl', 'show')
  const xml = machine.must('virsh', 'dumpxml', vm)
  const log = machine.must('cat', `/var/log/libvirt/qemu/${vm}.log`)
  const ps = machine.must('ps', 'ax', '-o', 'user:20,group:20,args')
  const owner = (program: RegExp) => {
    const line = ps.split('\n').find((other) => program.test(other)) ?? ''
    const [user, group] = line.trim().split(/\s+/)
    return `${user}:${group}`
  }
  const of = (vifs: readonly Vif[]) => {
    const found = vifs.find((vif) => vif.socket === socket)
    assert.ok(found, `${socket} is among ${vifs.map((vif) => vif.socket).join(', ')}`)
    return found
  }
  return {
    ovs: of(parseOvsShow(show).vifs),
    libvirt: of(parseLibvirt(xml).vifs),
    qemu: of(parseQemu(log).vifs),
    owners: {
      ovs: owner(/\bovs-vswitchd\S* --?/),
      qemu: owner(/qemu-system-\S+ -name/),
      socket: machine.must('stat', '-c', '%U:%G', socket).trim(),
    },
  }
}
