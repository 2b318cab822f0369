import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import {
  type CommandOptions,
  type CommandResult,
  GuestAgent,
} from '../../../src/testkit/vm/guest-agent.js'
import { channelName } from '../../../src/testkit/vm/guest-script.js'
import { initramfs } from '../../../src/testkit/vm/initramfs.js'
import { KernelImage } from '../../../src/testkit/vm/kernel-image.js'
import { libvirtDomain, newGuest, type Vif } from '../../../src/vif/index.js'
import type { Libvirt } from './libvirt.js'
import type { Machine } from './machine.js'

const CHANNELS = 3
export const SLOW = { timeoutMs: 120_000 }

/** A Linux guest as a domain of libvirt: the XML that we make of its port, with a kernel to boot and a way to talk to it. */
export class LibvirtGuest implements AsyncDisposable {
  readonly name: string
  readonly address: string
  readonly #libvirt: Libvirt
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Socket>()
  #agent: Promise<GuestAgent>
  #booted: (agent: GuestAgent) => void = () => {}

  /** Defines the domain. `number` tells its address, `10.0.0.<number>`. */
  static async define(
    machine: Machine,
    libvirt: Libvirt,
    vif: Vif,
    number: number,
  ): Promise<LibvirtGuest> {
    const guest = new LibvirtGuest(libvirt, number)
    const folder = join(machine.folder, guest.name)
    mkdirSync(folder)
    await guest.#listen(folder)
    const domain = libvirtDomain([vif], newGuest({ name: guest.name, memoryMiB: 128 }))
    libvirt.define(bootable(domain, await bootFiles(machine), folder, guest))
    return guest
  }

  private constructor(libvirt: Libvirt, number: number) {
    this.#libvirt = libvirt
    this.name = `vm${number}`
    this.address = `10.0.0.${number}`
    this.#agent = this.#nextBoot()
  }

  /** Starts the domain. With QEMU as server libvirt waits for the switch here. */
  start(): void {
    this.#libvirt.virsh('start', this.name)
  }

  /** Resolves when it has booted. */
  async ready(): Promise<void> {
    await (await this.#agent).ready()
  }

  /** Runs a shell command in it. */
  async run(command: string, options: CommandOptions = SLOW): Promise<CommandResult> {
    return (await this.#agent).run(command, options)
  }

  async bootId(): Promise<string> {
    return (await this.run('cat /proc/sys/kernel/random/boot_id')).output.trim()
  }

  /** How many of five pings are answered. @param waitS - how long answers are waited for */
  async reaches({ address }: LibvirtGuest, waitS: number): Promise<number> {
    const { output } = await this.run(`ping -c 5 -i 0.2 -W ${waitS} ${address}`)
    return Number(/(\d+) packets received/.exec(output)?.[1] ?? 0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await Promise.all(this.#servers.map((server) => once(server.close(), 'close')))
  }

  /** QEMU connects when it starts: each start is another agent. */
  async #listen(folder: string): Promise<void> {
    let sockets: (Socket | undefined)[] = []
    for (let i = 0; i < CHANNELS; i++) {
      const server = createServer((socket) => {
        this.#sockets.add(socket)
        socket.on('close', () => this.#sockets.delete(socket))
        sockets[i] = socket
        if (sockets.filter(Boolean).length < CHANNELS) return
        const agent = new GuestAgent(sockets as Socket[])
        sockets = []
        this.#booted(agent)
      })
      const path = join(folder, channelName(i))
      server.listen(path)
      await once(server, 'listening')
      // QEMU runs as another user.
      chmodSync(path, 0o666)
      server.unref()
      this.#servers.push(server)
    }
  }

  /** Call before it is started again: what is asked from then on is asked of the next boot. */
  restarts(): void {
    this.#agent = this.#nextBoot()
  }

  #nextBoot(): Promise<GuestAgent> {
    return new Promise((resolve) => {
      this.#booted = resolve
    })
  }
}

interface BootFiles {
  readonly kernel: string
  readonly initramfs: string
}

/** Copies that QEMU's user can read, and libvirt may give to it. */
async function bootFiles({ folder }: Machine): Promise<BootFiles> {
  const files = { kernel: join(folder, 'kernel'), initramfs: join(folder, 'initramfs') }
  if (!existsSync(files.kernel)) {
    const image = await KernelImage.find()
    copyFileSync(image.path, files.kernel)
    copyFileSync(await initramfs(image), files.initramfs)
  }
  return files
}

function bootable(
  domain: string,
  files: BootFiles,
  folder: string,
  { name, address }: LibvirtGuest,
): string {
  const channels = Array.from({ length: CHANNELS }, (_, i) => {
    const channel = channelName(i)
    return `<channel type='unix'><source mode='connect' path='${join(folder, channel)}'/><target type='virtio' name='${channel}'/></channel>`
  })
  const boot = `<kernel>${files.kernel}</kernel><initrd>${files.initramfs}</initrd><cmdline>console=ttyS0 quiet panic=-1 no_timer_check mitigations=off cryptomgr.notests guest_name=${name} guest_addresses=${address}/24 guest_channels=${CHANNELS}</cmdline>`
  const devices = `<serial type='file'><source path='/var/log/libvirt/${name}.console'/></serial>${channels.join('')}<memballoon model='none'/>`
  // Software emulation; and with MSI-X QEMU 7.2 crashes when a vhost-user device starts under it.
  const override =
    "<qemu:override><qemu:device alias='net0'><qemu:frontend><qemu:property name='vectors' type='unsigned' value='0'/></qemu:frontend></qemu:device></qemu:override>"
  return domain
    .replace(
      "<domain type='kvm'>",
      "<domain type='qemu' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>",
    )
    .replace('</os>', `${boot}</os>`)
    .replace('</devices>', `${devices}</devices>`)
    .replace('</domain>', `${override}</domain>`)
}
