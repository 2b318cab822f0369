import type { LogLine } from '../facts.js'
import type { Host } from '../host.js'
import { isForbidden } from '../host.js'
import { AS_ROOT, type Sources } from './sources.js'

const FOLDER = '/var/log/libvirt/qemu'

/** What QEMU says of sockets, its chardevs and vhost-user. */
const ABOUT = /vhost|chardev|socket|waiting for connection|more queues|UNIX/i

/** What libvirt writes when it starts a guest; before it is the last life. */
const START = /^\d{4}-\d\d-\d\d \S+ starting up libvirt version/

/** Lines about ports in libvirt's logs of QEMU since the last start. Only root may read them. */
export function gatherLogs(host: Host, vms: readonly string[], sources: Sources): LogLine[] {
  const forbidden: string[] = []
  let read = 0
  const lines = vms.flatMap((vm): LogLine[] => {
    const file = `${FOLDER}/${vm}.log`
    try {
      const all = host.read(file).split('\n')
      read++
      const start = all.findLastIndex((line) => START.test(line))
      return all
        .slice(start + 1)
        .filter((text) => ABOUT.test(text) && !isArguments(text))
        .map((text) => ({ vm, file, text }))
    } catch (error) {
      if (isForbidden(error)) forbidden.push(file)
      return []
    }
  })
  if (forbidden.length > 0)
    sources.add(
      read > 0 ? 'partly' : 'unread',
      'logs',
      `${forbidden.join(', ')} need root`,
      AS_ROOT,
    )
  else if (read > 0) sources.add('read', 'logs', `${read} of ${FOLDER}`)
  else if (vms.length > 0) sources.add('absent', 'logs', `${FOLDER} has none of these guests`)
  return lines
}

/** A line of the command with which QEMU was started. */
function isArguments(line: string): boolean {
  return /^-|\\$|^\S*qemu\S* -name /.test(line)
}
