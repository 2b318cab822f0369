/** What all tests with guests know of them: their shapes, their addresses, and whether traffic goes on. */
import assert from 'node:assert/strict'
import type { PortOptions } from '../../../src/index.js'
import { VirtualMachine, type VirtualMachineOptions } from '../../../src/testkit/index.js'

/** The ways a guest can be attached. `role` is QEMU's side of the socket. */
export const SHAPES = [
  { role: 'server', packed: false },
  { role: 'server', packed: true },
  { role: 'client', packed: false },
  { role: 'client', packed: true },
] as const

export type Shape = Pick<VirtualMachineOptions, 'role' | 'packed'>

/** `QEMU server, split ring`. */
export function shapeName({ role = 'server', packed = false }: Shape): string {
  return `QEMU ${role}, ${packed ? 'packed' : 'split'} ring`
}

export const addressOf = (number: number): string => `10.0.0.${number}`

export type GuestOptions = Partial<VirtualMachineOptions>

/** Starts the guest `10.0.0.<number>`. It boots when a switch is there. */
export function startGuest(
  folder: string,
  number: number,
  options: GuestOptions = {},
): Promise<VirtualMachine> {
  return VirtualMachine.start({
    name: `vm${number}`,
    socket: socketOf(folder, number),
    mac: `52:54:00:00:00:${number.toString(16).padStart(2, '0')}`,
    ip: `${addressOf(number)}/24`,
    maxLifetimeMs: 10 * 60_000,
    ...options,
  })
}

/** The port that this guest needs. */
export function portFor(folder: string, number: number, { role }: Shape = {}): PortOptions {
  const type = role === 'client' ? 'dpdkvhostuser' : 'dpdkvhostuserclient'
  return { name: `vm${number}`, type, path: socketOf(folder, number) }
}

/** The socket of this guest. */
export const socketOf = (folder: string, number: number): string => `${folder}/vm${number}`

/** An emulated processor on a shared core takes its time. */
export const SLOW = { timeoutMs: 120_000 }

/** Every one of some pings is answered. */
export async function assertReaches(guest: VirtualMachine, address: string): Promise<void> {
  const { output } = await guest.run(`ping -c 5 -i 0.2 -W 10 ${address}`, SLOW)
  assert.match(output, /5 packets transmitted, 5 packets received/, guest.spec.name)
}

/** Another one after every boot. */
export async function bootIdOf(guest: VirtualMachine): Promise<string> {
  return (await guest.run('cat /proc/sys/kernel/random/boot_id', SLOW)).output
}
