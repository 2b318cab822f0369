import { constants, hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { LogLevel } from 'dpdk-vhost'
import { AdminClient } from '../admin/client.js'
import { newLog } from '../service/log.js'
import { onSignals } from '../service/signals.js'
import { Agent } from './agent.js'
import type { BindingSource } from './binding.js'
import { FolderSource } from './folder-source.js'
import { type Auth, Keystone, StaticToken } from './neutron/auth.js'
import { NeutronClient } from './neutron/client.js'
import { NeutronSource } from './neutron/source.js'
import { Records } from './records.js'

/** What `vswitch agent` was told. */
export interface AgentOptions {
  /** Admin socket of the switch. */
  readonly socket: string
  /** Folder of port files. */
  readonly ports?: string
  /** URL of Neutron, or true: the one that Keystone knows. */
  readonly neutron?: string | true
  /** `binding:host_id`. Default: the name of this host. */
  readonly host?: string
  readonly tags?: boolean
  /** Folder of state files. Default: `agent` beside the admin socket. */
  readonly state?: string
  /** Seconds between two looks at the switch and the folder. */
  readonly interval: number
  /** Seconds between two polls of Neutron. */
  readonly poll: number
  /** Seconds that an answer may take. */
  readonly timeout: number
  readonly logLevel: LogLevel
  readonly logFormat: 'text' | 'json'
}

/**
 * Runs until a signal. Ports stay when it ends: the next one takes them over.
 *
 * @returns the exit code
 * @throws Error when options contradict each other or are missing
 */
export async function runAgent(options: AgentOptions, env = process.env): Promise<number> {
  const source = sourceOf(options, env)
  const socket = resolve(options.socket)
  const records = await Records.open(resolve(options.state ?? join(dirname(socket), 'agent')))
  const log = newLog({ level: options.logLevel, format: options.logFormat })
  const end = new AbortController()
  let exitCode = 0
  const deafen = onSignals({
    stop: (signal) => {
      log.info(`stopping: ${signal}; ports stay`, { event: 'stop' })
      end.abort()
    },
    stopNow: (signal) => process.exit(128 + constants.signals[signal]),
    reload: () => {},
    failed: (error) => {
      log.error(`uncaught: ${(error as Error)?.stack ?? error}`, { event: 'uncaught' })
      exitCode = 1
      end.abort()
    },
    warned: (warning) => log.warn(warning.message, { event: 'warning' }),
  })
  const client = new AdminClient(socket, 1000 * options.timeout)
  const intervalMs = 1000 * options.interval
  log.info(`the agent runs: ${source.name}; switch ${socket}; states ${records.folder}`, {
    event: 'start',
    pid: process.pid,
  })
  await new Agent({ source, client, records, log, intervalMs }).run(end.signal)
  log.info('the agent has ended', { event: 'end' })
  deafen()
  await log.flush()
  return exitCode
}

function sourceOf(options: AgentOptions, env: NodeJS.ProcessEnv): BindingSource {
  const { ports, neutron, host = hostname(), poll, tags = false, timeout } = options
  if ((ports === undefined) === (neutron === undefined)) {
    throw new Error('where do ports come from? give either --ports FOLDER or --neutron [URL]')
  }
  if (ports !== undefined) return new FolderSource(resolve(ports))
  const url = typeof neutron === 'string' ? neutron : undefined
  const timeoutMs = 1000 * timeout
  const client = new NeutronClient({ url, auth: authOf(env, url, timeoutMs), timeoutMs })
  return new NeutronSource({ client, host, pollMs: 1000 * poll, tags })
}

/** By the variables of OpenStack's clients: secrets are seen by nobody there, unlike arguments. */
function authOf(env: NodeJS.ProcessEnv, url: string | undefined, timeoutMs: number): Auth {
  const { OS_TOKEN: token, OS_AUTH_URL: authUrl, OS_USERNAME: username } = env
  const { OS_PASSWORD: password, OS_PROJECT_NAME: project } = env
  if (username !== undefined || (url === undefined && token === undefined)) {
    const needed = { OS_AUTH_URL: authUrl, OS_USERNAME: username, OS_PASSWORD: password }
    const missing = Object.entries({ ...needed, OS_PROJECT_NAME: project })
      .filter(([, value]) => !value)
      .map(([name]) => name)
    if (missing.length > 0) {
      throw new Error(`${missing.join(', ')} missing in the environment; source an openrc file`)
    }
    return new Keystone({
      authUrl: authUrl as string,
      username: username as string,
      password: password as string,
      project: project as string,
      userDomain: env.OS_USER_DOMAIN_NAME ?? 'Default',
      projectDomain: env.OS_PROJECT_DOMAIN_NAME ?? 'Default',
      region: env.OS_REGION_NAME,
      interface: (env.OS_INTERFACE ?? 'public').replace(/URL$/, ''),
      timeoutMs,
    })
  }
  if (url !== undefined) return new StaticToken(token)
  throw new Error('with OS_TOKEN the URL of Neutron has to be given: --neutron URL')
}
