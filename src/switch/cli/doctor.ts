/** `vswitch doctor`: the machine, and the configuration that is to run on it. */
import { existsSync } from 'node:fs'
import { examine, type Finding, type Subject, worst } from 'dpdk-vhost/doctor'
import { AdminClient } from '../admin/client.js'
import { NoSwitchError } from '../admin/client-error.js'
import { ExitCode } from './exit-codes.js'
import { newTerminal } from './terminal.js'
import { doctorText } from './text/doctor.js'

const USUAL = '/etc/vswitch/vswitch.yaml'
const UNIT = 'vswitch.service'

interface DoctorOptions {
  readonly json?: boolean
  readonly socket: string
  /** Show what is well, too. */
  readonly all?: boolean
  /** A folder that stands for `/`. */
  readonly root?: string
}

/** @param file - the configuration; default that of the switch that runs, else the usual one. Returns the exit code */
export async function doctor(file: string | undefined, options: DoctorOptions): Promise<number> {
  const { answer, paint } = newTerminal(options)
  const { subject, findings } = await configuration(file ?? (await configInUse(options.socket)))
  const all = [...findings, ...(await examine(subject, { root: options.root, unit: UNIT }))]
  const severity = worst(all)
  answer({ severity, findings: all }, () => doctorText(all, options.all ?? false, paint))
  return severity === 'error' ? ExitCode.refused : ExitCode.ok
}

/** The configuration of the switch at the admin socket, or the one where it usually is. */
async function configInUse(socket: string): Promise<string | undefined> {
  try {
    return (await new AdminClient(socket).show()).config
  } catch (error) {
    if (!(error instanceof NoSwitchError)) throw error
    return existsSync(USUAL) ? USUAL : undefined
  }
}

async function configuration(
  file: string | undefined,
): Promise<{ subject: Subject; findings: readonly Finding[] }> {
  const check = 'configuration'
  if (file === undefined) {
    const seen = `none was named, no switch runs, and there is no ${USUAL}`
    const why = 'what depends on ports and lcores is not looked at'
    const fix = 'vswitch doctor FILE'
    return { subject: {}, findings: [{ check, severity: 'note', seen, why, fix }] }
  }
  try {
    // Comes with DPDK, which the examination tells about if it is not there.
    const { checkConfigFile, reportLine } = await import('../config/index.js')
    const { spec, problems, warnings } = checkConfigFile(file)
    const warned = warnings.map((warning): Finding => {
      const why = 'it can be, and is hardly meant'
      return { check, severity: 'warning', seen: reportLine(warning), why }
    })
    if (spec === undefined) {
      const [first] = problems.map(reportLine)
      const more = problems.length === 1 ? '' : `, and ${problems.length - 1} more`
      const seen = `${first}${more}`
      const why = 'a switch does not start with it, and a reload changes nothing'
      const fix = `vswitch check ${file}`
      return { subject: {}, findings: [{ check, severity: 'error', seen, why, fix }, ...warned] }
    }
    const { datapath, lcores, ports } = spec
    const subject = { datapath, lcores, ports: ports.map(({ port }) => port) }
    const findings = warned.length > 0 ? warned : [{ check, severity: 'ok', seen: file } as const]
    return { subject, findings }
  } catch (error) {
    const seen = `${file} cannot be checked: ${error instanceof Error ? error.message : String(error)}`
    const why = 'the check comes with DPDK'
    return { subject: {}, findings: [{ check, severity: 'note', seen, why }] }
  }
}
