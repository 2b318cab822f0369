import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from '../../support/loopback.js'
import type { Machine } from './machine.js'

const SETTINGS = {
  // No security module, no systemd, no cgroups, and nobody who takes over QEMU's log.
  security_driver: 'none',
  stdio_handler: 'file',
  cgroup_controllers: [],
  namespaces: [],
  remember_owner: 0,
}

/** libvirtd in a machine, with QEMU as `qemu:<group>`. */
export class Libvirt {
  readonly #machine: Machine

  static async start(machine: Machine, group: string): Promise<Libvirt> {
    const self = new Libvirt(machine)
    const settings = { user: 'qemu', group, ...SETTINGS }
    const lines = Object.entries(settings).map(
      ([key, value]) => `${key} = ${JSON.stringify(value)}`,
    )
    machine.run('mkdir', ['-p', '/etc/libvirt'])
    machine.run('tee', ['/etc/libvirt/qemu.conf'], `${lines.join('\n')}\n`)
    machine.run('tee', ['/etc/libvirt/libvirtd.conf'], 'auth_unix_rw = "none"\n')
    await self.#run()
    return self
  }

  private constructor(machine: Machine) {
    this.#machine = machine
  }

  /** @throws Error with what virsh wrote, when it failed */
  virsh(...args: readonly string[]): string {
    return this.#machine.must('virsh', '--quiet', ...args)
  }

  define(xml: string): void {
    const file = join(this.#machine.folder, 'domain.xml')
    writeFileSync(file, xml)
    this.virsh('define', file)
  }

  async #run(): Promise<void> {
    const daemon = this.#machine.daemon('libvirtd', '--pid-file', '/run/libvirtd.pid')
    const answers = () => this.#machine.run('virsh', ['--quiet', 'list']).code === 0
    await Promise.race([until('libvirtd answers', answers, 60_000), daemon.failed])
  }
}
