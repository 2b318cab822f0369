import type { Finding } from '../finding.js'
import type { Machine } from '../machine.js'

/** Where systemd looks, the first first. */
const FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

/** What a unit has to say, why, and whether it says it. */
const WANTED: readonly [key: string, is: (value: string) => boolean, why: string, say: string][] = [
  [
    'LimitMEMLOCK',
    (value) => value === 'infinity',
    'the default of 8 MiB keeps memory from being locked',
    'LimitMEMLOCK=infinity',
  ],
  [
    'LimitNOFILE',
    (value) => value === 'infinity' || Number(value.split(':')[0]) >= 8192,
    'the default of 1024 files is used up by some dozen ports',
    'LimitNOFILE=65536',
  ],
  [
    'Restart',
    (value) => value === 'on-failure' || value === 'always',
    'guests wait for a switch that nobody starts again',
    'Restart=on-failure',
  ],
]

/** The unit of a service, with its drop-ins. */
export function service(machine: Machine, unit: string): Finding[] {
  const folder = FOLDERS.find((at) => machine.exists(`${at}/${unit}`))
  if (folder === undefined) {
    const why = 'a switch started by hand is gone after a reboot'
    return [
      {
        check: 'systemd',
        severity: 'note',
        seen: `there is no unit ${unit}`,
        why,
        fix: 'docs/vswitch.md tells how to install it',
      },
    ]
  }
  const dropIns = [...FOLDERS]
    .reverse()
    .flatMap((at) => machine.list(`${at}/${unit}.d`).map((file) => `${at}/${unit}.d/${file}`))
  const settings = new Map<string, string>()
  for (const file of [`${folder}/${unit}`, ...dropIns])
    for (const [, key = '', value = ''] of (machine.read(file) ?? '').matchAll(/^(\w+)=(.*)$/gm))
      settings.set(key, value.trim())
  const tell = (say: string) =>
    `sudo systemctl edit ${unit}  # and write: [Service] ${say}; then sudo systemctl restart ${unit}`
  const findings = WANTED.flatMap(([key, is, why, say]): Finding[] => {
    const value = settings.get(key)
    if (value !== undefined && is(value)) return []
    const seen = `${unit} ${value === undefined ? `does not set ${key}` : `has ${key}=${value}`}`
    return [{ check: 'systemd', severity: 'warning', seen, why, fix: tell(say) }]
  })
  if (/^(yes|true|on|1)$/.test(settings.get('MemoryDenyWriteExecute') ?? ''))
    findings.push({
      check: 'systemd',
      severity: 'error',
      seen: `${unit} has MemoryDenyWriteExecute=yes`,
      why: 'V8 makes machine code, and the process is killed for it',
      fix: tell('MemoryDenyWriteExecute=no'),
    })
  if (findings.length > 0) return findings
  return [{ check: 'systemd', severity: 'ok', seen: `${folder}/${unit}` }]
}
