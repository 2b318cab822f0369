import { chmodSync, chownSync, mkdirSync, rmdirSync, statSync } from 'node:fs'
import { parseLibvirt } from '../libvirt.js'
import { gidOf, uidOf } from './accounts.js'
import { withQemuListening } from './domain.js'
import { MigrationError } from './error.js'
import type { StepAction } from './plan.js'
import type { SwitchSide, SwitchSidePort } from './switch-side.js'
import { until } from './until.js'
import { command, type Virsh } from './virsh.js'

/** What steps are carried out with. */
export interface Means {
  readonly virsh: Virsh
  readonly side: SwitchSide
  /** How long a guest may take to end when it is asked to, in milliseconds. Default 60000. */
  readonly stopTimeoutMs?: number | undefined
  /** Whether one that does not is ended as by a loss of power. Default false. */
  readonly force?: boolean | undefined
}

/** A step as it is carried out. Doing it again changes nothing, so an interrupted one is done once more. */
export interface Step<Before> {
  /** What is to be known for the way back. */
  before(): Promise<Before>
  /** Carries it out, and verifies that it has come to be. */
  do(before: Before): Promise<void>
  undo(before: Before): Promise<void>
}

const CONNECT_MS = 20_000
const STOP_MS = 60_000

export function stepOf(action: StepAction, means: Means): Step<unknown> {
  switch (action.kind) {
    case 'group':
      return groupStep(action) as Step<unknown>
    case 'folder':
      return folderStep(action) as Step<unknown>
    case 'stop':
      return stopStep(action, means) as Step<unknown>
    case 'define':
      return defineStep(action, means) as Step<unknown>
    case 'port':
      return portStep(action, means) as Step<unknown>
    case 'start':
      return startStep(action, means) as Step<unknown>
  }
}

type Of<Kind> = Extract<StepAction, { kind: Kind }>

const failed = (message: string) => new MigrationError('ERR_MIGRATION_STEP', message)

function groupStep({ group, gid }: Of<'group'>): Step<{ wasThere: boolean }> {
  return {
    before: async () => ({ wasThere: gidOf(group) !== undefined }),
    async do() {
      if (gidOf(group) === undefined) await command('groupadd', ['--gid', String(gid), group])
      if (gidOf(group) !== gid)
        throw failed(`group ${group} has number ${gidOf(group)}, not ${gid}; plan anew`)
    },
    async undo({ wasThere }) {
      if (!wasThere && gidOf(group) !== undefined) await command('groupdel', [group])
    },
  }
}

interface Permissions {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

function folderStep({
  path,
  owner,
  group,
  mode,
}: Of<'folder'>): Step<{ was: Permissions | undefined }> {
  const set = (to: Permissions) => {
    // Another owner takes the set-group-ID bit away.
    chownSync(path, to.uid, to.gid)
    chmodSync(path, to.mode)
  }
  return {
    async before() {
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats !== undefined && !stats.isDirectory()) throw failed(`${path} is no folder`)
      return stats === undefined
        ? { was: undefined }
        : { was: { uid: stats.uid, gid: stats.gid, mode: stats.mode & 0o7777 } }
    },
    async do() {
      const [uid, gid] = [uidOf(owner), gidOf(group)]
      if (uid === undefined || gid === undefined) throw failed(`no user ${owner} or group ${group}`)
      mkdirSync(path, { recursive: true })
      set({ uid, gid, mode })
    },
    async undo({ was }) {
      if (was !== undefined) return set(was)
      try {
        rmdirSync(path)
      } catch (error) {
        // What others keep in it is not ours to remove.
        if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? ''))
          throw error
      }
    },
  }
}

function stopStep(
  { vm }: Of<'stop'>,
  { virsh, stopTimeoutMs = STOP_MS, force = false }: Means,
): Step<{ wasRunning: boolean }> {
  const isOff = async () => !(await virsh.isRunning(vm))
  return {
    before: async () => ({ wasRunning: await virsh.isRunning(vm) }),
    async do() {
      if (await isOff()) return
      await virsh.shutdown(vm)
      const hint = 'stop it yourself and run again, or give --force'
      const late = `${vm} did not end within ${stopTimeoutMs / 1000} s; ${hint}`
      try {
        await until(isOff, stopTimeoutMs, () => late)
      } catch (error) {
        if (!force) throw error
        await virsh.destroy(vm)
      }
    },
    async undo({ wasRunning }) {
      if (wasRunning && (await isOff())) await virsh.start(vm)
    },
  }
}

function defineStep({ vm, sockets }: Of<'define'>, { virsh }: Means): Step<{ xml: string }> {
  return {
    before: async () => ({ xml: await virsh.xml(vm, 'next') }),
    async do({ xml }) {
      await virsh.define(withQemuListening(xml, new Map(Object.entries(sockets))))
      await listens(await virsh.xml(vm, 'next'), vm, Object.values(sockets))
    },
    undo: ({ xml }) => virsh.define(xml),
  }
}

async function listens(xml: string, vm: string, sockets: readonly string[]): Promise<void> {
  const { vifs } = parseLibvirt(xml)
  for (const socket of sockets) {
    if (vifs.some((vif) => vif.socket === socket && vif.qemuMode === 'server')) continue
    throw failed(`domain ${vm} has no interface with mode=server and path=${socket}`)
  }
}

function portStep({ port }: Of<'port'>, { side }: Means): Step<SwitchSidePort> {
  const find = async () => {
    const found = (await side.ports()).find(({ name }) => name === port.name)
    if (found !== undefined) return found
    throw failed(`${side.name} has no port ${port.name} any more; plan anew`)
  }
  return {
    before: find,
    async do() {
      await side.set(port)
      const { type, path } = await find()
      if (type !== port.type || path !== port.path)
        throw failed(`${side.name}: port ${port.name} is ${type} with path ${path} all the same`)
    },
    undo: (before) => side.set(before),
  }
}

function startStep(
  { vm, ports, sockets, group }: Of<'start'>,
  { virsh, side }: Means,
): Step<undefined> {
  return {
    before: async () => undefined,
    async do() {
      if (!(await virsh.isRunning(vm))) {
        try {
          await virsh.start(vm)
        } catch (error) {
          const hint = `QEMU waits until ${side.name} has connected: see the logs of both`
          throw failed(`${(error as Error).message}; ${hint}`)
        }
      }
      await listens(await virsh.xml(vm, 'live'), vm, sockets)
      for (const socket of sockets) {
        const stats = statSync(socket, { throwIfNoEntry: false })
        if (!stats?.isSocket()) throw failed(`QEMU of ${vm} did not make ${socket}`)
        if (stats.gid !== gidOf(group) || (stats.mode & 0o020) === 0)
          throw failed(`${socket} cannot be written to by group ${group}`)
      }
      for (const port of ports) {
        const hint = 'see its log'
        const late = `${side.name} did not connect port ${port} within ${CONNECT_MS / 1000} s; ${hint}`
        await until(
          () => side.isConnected(port),
          CONNECT_MS,
          () => late,
        )
      }
    },
    async undo() {
      if (await virsh.isRunning(vm)) await virsh.destroy(vm)
    },
  }
}
