import { basename } from 'node:path'
import { ConfigError, type ConfigError as Unusable } from '../../../config/index.js'
import { parseLibvirt } from '../../libvirt.js'
import { CommandFailed } from '../../system-command.js'
import type { Domain, GuestPorts, QemuConf } from '../facts.js'
import { type Host, isForbidden, optional } from '../host.js'
import type { Accounts } from './accounts.js'
import { AS_ROOT, type Sources } from './sources.js'

const LIVE = '/run/libvirt/qemu'
const CONFIGURED = '/etc/libvirt/qemu'

/**
 * Domains with vhost-user ports: from `virsh`, read-only, which anybody may; else from libvirt's files, which take root.
 *
 * @param uri - of libvirt, such as `qemu:///system`
 */
export async function gatherDomains(host: Host, uri: string, sources: Sources): Promise<Domain[]> {
  const { domains, state, seen, fix } = await fromVirsh(host, uri).catch((error: unknown) => {
    if (!(error instanceof CommandFailed)) throw error
    return fromFiles(host, `virsh: ${error.message}`)
  })
  const ours = domains.filter(({ live, config }) => live !== undefined || config !== undefined)
  const counted =
    state === 'read' || state === 'partly'
      ? `${ours.length} domains with vhost-user ports, ${domains.length - ours.length} without; ${seen}`
      : seen
  sources.add(state, 'libvirt', counted, fix)
  return ours
}

interface Read {
  readonly domains: readonly Domain[]
  readonly state: 'read' | 'partly' | 'unread' | 'absent'
  readonly seen: string
  readonly fix?: string
}

async function fromVirsh(host: Host, uri: string): Promise<Read> {
  const virsh = (...args: string[]) => host.run('virsh', ['-r', '-c', uri, ...args])
  const names = async (...args: string[]) =>
    (await virsh('list', '--name', ...args)).split('\n').filter((name) => name.trim() !== '')
  const running = new Set(await names())
  const gone: string[] = []
  const domains: Domain[] = []
  for (const name of await names('--all')) {
    try {
      const xml = await virsh('dumpxml', name)
      const isRunning = running.has(name)
      const next = isRunning ? await virsh('dumpxml', '--inactive', name) : xml
      domains.push(domainOf(isRunning ? xml : undefined, next))
    } catch (error) {
      // A guest may end while it is looked at.
      gone.push(`${name}: ${(error as Error).message}`)
    }
  }
  const seen = [`virsh -r -c ${uri}`, ...gone].join('; ')
  return { domains, state: gone.length > 0 ? 'partly' : 'read', seen }
}

function fromFiles(host: Host, why: string): Read {
  const forbidden: string[] = []
  const folders = [LIVE, CONFIGURED].map((folder) => {
    try {
      const files = host.list(folder).filter((name) => name.endsWith('.xml'))
      return files.flatMap((name) => {
        const text = readable(() => host.read(`${folder}/${name}`))
        return text === undefined ? [] : [[basename(name, '.xml'), text] as const]
      })
    } catch (error) {
      if (isForbidden(error)) forbidden.push(folder)
      return undefined
    }
    function readable(read: () => string): string | undefined {
      try {
        return read()
      } catch (error) {
        if (isForbidden(error) && !forbidden.includes(folder)) forbidden.push(folder)
        return undefined
      }
    }
  })
  const [live, config] = folders.map((files) => new Map(files ?? []))
  const names = [...new Set([...(live?.keys() ?? []), ...(config?.keys() ?? [])])].sort()
  const domains = names.flatMap((name) => {
    const one = optional(() => domainOf(live?.get(name), config?.get(name)))
    return one === undefined ? [] : [one]
  })
  if (forbidden.length > 0) {
    const seen = `${why}; ${forbidden.join(' and ')} need root`
    return { domains, state: domains.length > 0 ? 'partly' : 'unread', seen, fix: AS_ROOT }
  }
  if (folders.every((files) => files === undefined))
    return { domains, state: 'absent', seen: `${why}; there is no ${LIVE} and no ${CONFIGURED}` }
  return { domains, state: 'read', seen: `${LIVE} and ${CONFIGURED}, because ${why}` }
}

/** @throws ConfigError when neither text is a domain */
function domainOf(live: string | undefined, config: string | undefined): Domain {
  const text = live ?? config ?? ''
  const field = (tag: string) => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(text)?.[1]
  return {
    name: unescaped(field('name') ?? '?'),
    uuid: field('uuid'),
    isRunning: live !== undefined,
    isNova: /<nova:(instance|owner|name)\b/.test(text),
    live: live === undefined ? undefined : portsOf(live),
    config: config === undefined ? undefined : portsOf(config),
  }
}

function unescaped(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&')
}

/** Undefined when it has no vhost-user port. */
function portsOf(xml: string): GuestPorts | undefined {
  if (!/<interface\s[^>]*type=['"]vhostuser['"]/.test(xml)) return undefined
  const unusable: Unusable[] = []
  try {
    const { vifs, guest } = parseLibvirt(xml, { onUnusable: (error) => unusable.push(error) })
    return { vifs, guest, unusable }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { vifs: [], unusable: [error] }
  }
}

/** As what libvirt runs QEMU, by `/etc/libvirt/qemu.conf` and the defaults of distributions. */
export function gatherQemuConf(
  host: Host,
  accounts: Accounts,
  sources: Sources,
): QemuConf | undefined {
  const file = '/etc/libvirt/qemu.conf'
  const text = sources.attempt('qemu.conf', file, () => host.read(file))
  if (text === undefined) return undefined
  const value = (key: string) =>
    new RegExp(`^\\s*${key}\\s*=\\s*"\\+?([^"]*)"`, 'm').exec(text)?.[1]
  const [userName, groupName] = [value('user'), value('group')]
  const unknown: QemuConf['unknown'][number][] = []
  const isNumber = (name: string) => /^\d+$/.test(name)
  const user =
    userName === undefined
      ? ['libvirt-qemu', 'qemu'].flatMap((name) => accounts.userOf(name) ?? [])[0]
      : accounts.userOf(isNumber(userName) ? accounts.nameOfUser(Number(userName)) : userName)
  if (userName !== undefined && user === undefined && !isNumber(userName))
    unknown.push({ kind: 'user', name: userName })
  let gid: number | undefined
  if (groupName !== undefined) {
    gid = isNumber(groupName) ? Number(groupName) : accounts.gidOf(groupName)
    if (gid === undefined) unknown.push({ kind: 'group', name: groupName })
  }
  sources.add('read', 'qemu.conf', `QEMU runs as ${user?.name ?? userName ?? 'a user not known'}`)
  if (user === undefined && unknown.length === 0) return undefined
  const gids = [...new Set([...(gid === undefined ? [] : [gid]), ...(user?.gids ?? [])])]
  const nobody = { name: userName ?? '?', uid: -1, gids: [], overrides: false }
  return { file, user: { ...(user ?? nobody), gids }, unknown }
}
