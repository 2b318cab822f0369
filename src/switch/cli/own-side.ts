import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { SwitchSide, SwitchSidePort } from 'dpdk-vhost/vif'
import { isMap, isSeq, parseDocument, type YAMLMap } from 'yaml'
import type { AdminClient } from '../admin/client.js'

/** Keys of a port that only one of us who listens has. */
const SERVER_KEYS = ['createFolder', 'mode', 'uid', 'gid']

/** The running switch whose ports are migrated, with its configuration. */
export class OwnSide implements SwitchSide {
  readonly name = 'vswitch'
  readonly #client: AdminClient

  constructor(client: AdminClient) {
    this.#client = client
  }

  async pid(): Promise<number> {
    return (await this.#client.show()).pid
  }

  async ports(): Promise<SwitchSidePort[]> {
    const document = await this.#configuration()
    return (await this.#client.ports())
      .filter(({ type }) => type.startsWith('dpdkvhostuser'))
      .map(({ name, type, path = '' }) => ({
        name,
        type: type as SwitchSidePort['type'],
        path,
        options: serverOptions(portOf(document, name)),
      }))
  }

  /** Changes its configuration, comments and all, and has it read; a port that is not in there is changed by itself. */
  async set({ name, type, path, options = {} }: SwitchSidePort): Promise<void> {
    const document = await this.#configuration()
    const port = portOf(document, name)
    if (port === undefined) {
      const none = Object.fromEntries(SERVER_KEYS.map((key) => [key, null]))
      await this.#client.portSet(name, { ...none, ...options, type, path })
      return
    }
    for (const key of SERVER_KEYS) port.delete(key)
    const isServer = type === 'dpdkvhostuser'
    for (const [key, value] of Object.entries({ type, path, ...(isServer ? options : {}) })) {
      port.set(key, value)
    }
    const { config } = await this.#client.show()
    const before = readFileSync(config, 'utf8')
    replaceFile(config, document.toString())
    try {
      await this.#client.reload()
    } catch (error) {
      replaceFile(config, before)
      throw error
    }
  }

  async isConnected(port: string): Promise<boolean> {
    const view = (await this.#client.ports()).find(({ name }) => name === port)
    return ['connected', 'ready', 'stopped'].includes(view?.state ?? '')
  }

  async #configuration() {
    const { config } = await this.#client.show()
    return parseDocument(readFileSync(config, 'utf8'))
  }
}

function portOf(document: ReturnType<typeof parseDocument>, name: string): YAMLMap | undefined {
  const ports = document.get('ports')
  if (!isSeq(ports)) return undefined
  return ports.items.find((item): item is YAMLMap => isMap(item) && item.get('name') === name)
}

function serverOptions(port: YAMLMap | undefined): Record<string, unknown> {
  const keys = SERVER_KEYS.filter((key) => port?.has(key))
  return Object.fromEntries(keys.map((key) => [key, port?.get(key)]))
}

function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}
