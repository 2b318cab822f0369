import { type ConfigError, describeProblem } from '../../../config/config-error.js'
import type { HostFacts } from '../facts.js'
import { subject, type VifFinding, type WireCheck } from './finding.js'
import { restart } from './fixes.js'

/** Ports that cannot be, whoever has them: too long a path, a role that is none. */
export function unusable({ domains, qemus, ovs }: HostFacts): VifFinding[] {
  const of = (vm: string | undefined, errors: readonly ConfigError[]) =>
    errors.flatMap((error) =>
      error.problems.map(({ path, value, message, fix }): VifFinding => {
        const who = [vm, whatOf(error)].filter(Boolean).join(' ')
        const socket = path === 'socket' && typeof value === 'string' ? value : undefined
        return {
          ...{ vm, socket, check: 'port', severity: 'error' },
          seen: `${who}: ${[path, message].filter(Boolean).join(' ')}${value === undefined ? '' : `: ${value}`}`,
          why: 'such a port does not come up',
          fix,
        }
      }),
    )
  return [
    ...domains.flatMap(({ name, live, config }) => of(name, (live ?? config)?.unusable ?? [])),
    // What QEMU was given, libvirt has told already.
    ...qemus
      .filter(({ name }) => !domains.some((domain) => domain.name === name))
      .flatMap((qemu) => of(qemu.name, qemu.unusable)),
    ...of(undefined, ovs?.unusable ?? []),
  ]
}

/** What could not be used: what stands before the problems in the message. */
function whatOf({ message, problems }: ConfigError): string {
  const [first] = problems
  const line = message.split('\n')[0] ?? ''
  const rest = problems.length > 1 ? /: \d+ problems$/ : first && `: ${describeProblem(first)}`
  return rest === undefined ? line : line.replace(rest, '')
}

/** Users and groups that libvirt is to use and that are not there. */
export function accounts({ qemuConf }: HostFacts): VifFinding[] {
  return (qemuConf?.unknown ?? []).map(({ kind, name }) => ({
    ...{ check: 'libvirt', severity: 'error' },
    seen: `${qemuConf?.file} names the ${kind} ${name}, and there is none`,
    why: 'libvirt starts no guest',
    fix:
      kind === 'user'
        ? `sudo useradd -r ${name}`
        : name === 'hugetlbfs'
          ? // What container images of OpenStack have it as.
            'sudo groupadd -g 42477 hugetlbfs'
          : `sudo groupadd -r ${name}`,
  }))
}

/** What was changed in a domain that was not started since. */
export const pending: WireCheck = (wire) =>
  wire.guests.flatMap((end): VifFinding[] => {
    const { vif, next, manager } = end
    if (next === undefined || manager === 'Nova') return []
    const { of, who } = subject(wire, end)
    const found = (what: string): VifFinding => ({
      ...of,
      ...{ check: 'libvirt', severity: 'note' },
      seen: `${who}: ${what}`,
      why: 'a change of the domain is taken when the guest is started, not when it reboots',
      fix: restart(end),
    })
    if (next.vif === undefined) return [found('the port is not in the domain any more')]
    const changes = (['qemuMode', 'socket', 'queues'] as const).flatMap((key) =>
      vif[key] === next.vif?.[key] ? [] : [`${key} is ${vif[key]}, and will be ${next.vif?.[key]}`],
    )
    const memory =
      end.guest?.shared === false && next.guest?.shared ? ['its memory will be shared'] : []
    const all = [...changes, ...memory]
    return all.length === 0 ? [] : [found(`when it is started again: ${all.join('; ')}`)]
  })
