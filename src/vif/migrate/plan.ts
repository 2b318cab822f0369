import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { socketSpellingTrouble, validate } from '../../config/index.js'
import { parseLibvirt } from '../libvirt.js'
import type { Vif } from '../vif.js'
import { actsAs, gidOf, groupOf, qemuUser, uidOf } from './accounts.js'
import { isNovas } from './domain.js'
import type { SwitchSide, SwitchSidePort } from './switch-side.js'
import type { Virsh } from './virsh.js'

const name = z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/i)

const planOptions = z.strictObject({
  vms: z.array(z.string().min(1)).optional(),
  folder: z.string().startsWith('/').default('/var/lib/vhost_sockets'),
  group: name.default('hugetlbfs'),
  gid: z.int().min(1).max(0xfffffffe).default(42477),
  owner: name.optional(),
  mode: z.int().min(0o100).max(0o7777).default(0o3775),
})

/** What to migrate, and where the sockets are to be. */
export interface MigrationPlanOptions {
  /** Names of domains. Default: all whose QEMU connects to the switch. */
  readonly vms?: readonly string[] | undefined
  /** Folder of the new sockets. Default `/var/lib/vhost_sockets`. */
  readonly folder?: string | undefined
  /** Group that QEMU's sockets are shared with. Default `hugetlbfs`. */
  readonly group?: string | undefined
  /** Its number, if it has to be made: the same on the host and in containers. Default 42477, as in Kolla's. */
  readonly gid?: number | undefined
  /** Owner of the folder. Default: the user of libvirt's `qemu.conf`. */
  readonly owner?: string | undefined
  /** Permissions of the folder. Default `0o3775`: sockets get its group, and nobody removes those of others. */
  readonly mode?: number | undefined
}

/** What a step does. */
export type StepAction =
  | { readonly kind: 'group'; readonly group: string; readonly gid: number }
  | {
      readonly kind: 'folder'
      readonly path: string
      readonly owner: string
      readonly group: string
      readonly mode: number
    }
  | { readonly kind: 'stop'; readonly vm: string }
  | {
      readonly kind: 'define'
      readonly vm: string
      readonly sockets: Readonly<Record<string, string>>
    }
  | { readonly kind: 'port'; readonly vm: string; readonly port: SwitchSidePort }
  | {
      readonly kind: 'start'
      readonly vm: string
      readonly ports: readonly string[]
      readonly sockets: readonly string[]
      readonly group: string
    }

/** One step of a plan. */
export type PlannedStep = StepAction & {
  /** What is done, in words. */
  readonly what: string
  /** `live`: nobody notices; `restart`: the guest is off; `network`: a guest that runs would have no network. */
  readonly impact: 'live' | 'restart' | 'network'
  /** Why it has to be. */
  readonly why: string
}

/** A port of a machine, before and after. */
export interface PlannedPort {
  readonly port: string
  readonly mac?: string | undefined
  readonly from: SwitchSidePort
  readonly to: SwitchSidePort
}

/** A machine that is migrated. */
export interface PlannedMachine {
  readonly name: string
  readonly uuid?: string | undefined
  readonly isRunning: boolean
  readonly ports: readonly PlannedPort[]
}

/** What will be done, in this order. */
export interface MigrationPlan {
  readonly switch: string
  readonly machines: readonly PlannedMachine[]
  readonly steps: readonly PlannedStep[]
  /** What is not migrated, why, and what to do instead. */
  readonly left: readonly { readonly what: string; readonly why: string; readonly fix: string }[]
  /** What is in the way. While there is anything, the plan cannot be carried out. */
  readonly blockers: readonly { readonly what: string; readonly fix: string }[]
}

/**
 * Looks at libvirt and a switch, and plans how guests whose QEMU connects (`dpdkvhostuser`) come to have one that listens
 * (`dpdkvhostuserclient`). Changes nothing.
 *
 * @throws {@link ConfigError} for options that cannot be used and domains that cannot be read; {@link MigrationError} when
 *   libvirt does not answer, `OvsdbError` when OVS does not
 */
export async function planMigration(
  virsh: Virsh,
  side: SwitchSide,
  options: MigrationPlanOptions = {},
): Promise<MigrationPlan> {
  const plain = Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined))
  const spec = validate(planOptions, plain, 'migration')
  const owner = spec.owner ?? qemuUser()
  const ports = await side.ports()
  const { persistent, transient } = await virsh.domains()
  const machines: PlannedMachine[] = []
  const left: MigrationPlan['left'][number][] = []
  const blockers: MigrationPlan['blockers'][number][] = []
  const isWanted = (vm: string) => spec.vms === undefined || spec.vms.includes(vm)

  // Of one that does not exist libvirt says so itself.
  for (const vm of spec.vms ?? []) {
    if (![...persistent, ...transient].includes(vm)) await virsh.isRunning(vm)
  }
  for (const vm of [...persistent, ...transient].filter(isWanted)) {
    const xml = await virsh.xml(vm, 'next')
    if (!xml.includes("type='vhostuser'")) continue
    const { vifs, guest } = parseLibvirt(xml)
    const clients = vifs.filter(({ qemuMode }) => qemuMode === 'client')
    if (clients.length === 0) continue
    const what = `domain ${vm}`
    if (isNovas(xml)) {
      left.push({
        what,
        why: 'Nova writes it anew at each start, with the mode that Neutron told it',
        fix: `have Neutron's agent report dpdkvhostuserclient, then migrate it cold: openstack server migrate --wait ${guest?.uuid} && openstack server resize confirm ${guest?.uuid}`,
      })
      continue
    }
    if (transient.includes(vm)) {
      const fix = 'have its creator start it anew with mode=server'
      left.push({ what, why: 'is transient: gone for good once it is stopped', fix })
      continue
    }
    if (guest?.shared === false) {
      const fix = "add <memoryBacking> with <access mode='shared'/> first"
      blockers.push({ what: `${what}: its memory is not shared: no frame would pass`, fix })
    }
    const planned = clients.flatMap((vif) => {
      const from = ports.find((port) => port.type === 'dpdkvhostuser' && isSamePath(port, vif))
      if (from !== undefined) return [plannedPort(vif, from, spec.folder)]
      const fix = 'name another switch, or remove the interface'
      left.push({ what: `${what}, ${vif.socket}`, why: `${side.name} has no such port`, fix })
      return []
    })
    if (planned.length === 0) continue
    const isRunning = await virsh.isRunning(vm)
    machines.push({ name: vm, uuid: guest?.uuid, isRunning, ports: planned })
  }

  for (const { to } of machines.flatMap((machine) => machine.ports)) {
    const trouble = socketSpellingTrouble(to.path)
    if (trouble) blockers.push({ what: `${to.path} ${trouble.message}`, fix: trouble.fix })
  }
  const gid = gidOf(spec.group)
  const taken = groupOf(spec.gid)
  if (gid === undefined && taken !== undefined) {
    const fix = `name that one with --group ${taken}, or another number with --gid`
    blockers.push({ what: `group number ${spec.gid} is that of ${taken}`, fix })
  }
  if (uidOf(owner) === undefined)
    blockers.push({ what: `there is no user ${owner}`, fix: 'name the one of QEMU with --owner' })
  const pid = await side.pid()
  const as = pid === undefined ? undefined : actsAs(pid)
  if (as !== undefined && !as.overrides && !as.gids.includes(gid ?? -1)) {
    blockers.push({
      what: `${side.name} (process ${pid}) runs as user ${as.uid}, bound to permissions and outside of group ${spec.group}: it could not connect to QEMU's sockets`,
      fix: `make the group (groupadd -g ${spec.gid} ${spec.group}) and run it in that: for OVS, OVS_USER_ID="openvswitch:${spec.group}" or --user, and a restart`,
    })
  }
  return {
    switch: side.name,
    machines,
    steps: machines.length === 0 ? [] : steps(machines, { ...spec, owner }, side.name),
    left,
    blockers,
  }
}

function plannedPort(vif: Vif, from: SwitchSidePort, folder: string): PlannedPort {
  const to = {
    name: from.name,
    type: 'dpdkvhostuserclient' as const,
    path: join(folder, from.name),
  }
  return { port: from.name, mac: vif.mac, from: { ...from, path: vif.socket }, to }
}

/** `/var/run` is a link to `/run`. */
function isSamePath(port: SwitchSidePort, vif: Vif): boolean {
  const real = (path: string) => {
    try {
      return join(realpathSync(dirname(path)), basename(path))
    } catch {
      return path
    }
  }
  return port.path === vif.socket || real(port.path) === real(vif.socket)
}

function steps(
  machines: readonly PlannedMachine[],
  { folder, group, gid, owner, mode }: z.output<typeof planOptions> & { owner: string },
  switchName: string,
): PlannedStep[] {
  const permissions = mode.toString(8)
  return [
    {
      kind: 'group',
      group,
      gid: gidOf(group) ?? gid,
      what: `group ${group}, number ${gidOf(group) ?? gid}${gidOf(group) === undefined ? '' : ', is there'}`,
      impact: 'live',
      why: 'QEMU and the switch share sockets through it; in containers it needs the same number',
    },
    {
      kind: 'folder',
      path: folder,
      owner,
      group,
      mode,
      what: `folder ${folder}, ${owner}:${group}, mode ${permissions}`,
      impact: 'live',
      why: 'QEMU makes its sockets there; with set-group-ID they get the group, whatever QEMU runs as',
    },
    ...machines.flatMap((machine) => machineSteps(machine, group, switchName)),
  ]
}

function machineSteps(
  { name: vm, isRunning, ports }: PlannedMachine,
  group: string,
  switchName: string,
): PlannedStep[] {
  const sockets = Object.fromEntries(ports.map(({ from, to }) => [from.path, to.path]))
  const stop: PlannedStep = {
    kind: 'stop',
    vm,
    what: `stop ${vm}`,
    impact: 'restart',
    why: "QEMU's side of a socket is fixed when it starts; a reboot inside the guest does not change it",
  }
  const start: PlannedStep = {
    kind: 'start',
    vm,
    ports: ports.map(({ port }) => port),
    sockets: Object.values(sockets),
    group,
    what: `start ${vm}, and see ${switchName} connect`,
    impact: 'restart',
    why: 'QEMU listens from now on; the switch may come and go',
  }
  return [
    ...(isRunning ? [stop] : []),
    {
      kind: 'define',
      vm,
      sockets,
      what: `domain ${vm}: ${ports.map(({ from, to }) => `<source mode='client' path='${from.path}'> becomes <source mode='server' path='${to.path}'>`).join('; ')}`,
      impact: 'live',
      why: "libvirt's mode is the one of QEMU",
    },
    ...ports.map(
      ({ from, to }): PlannedStep => ({
        kind: 'port',
        vm,
        port: to,
        what: `${switchName}, port ${to.name}: ${from.type} becomes ${to.type}, path ${to.path}`,
        impact: 'network',
        why: 'the switch takes the other role; its other ports go on',
      }),
    ),
    ...(isRunning ? [start] : []),
  ]
}
