/** What is to run on the machine: as much of a configuration as there is. Specs of the API fit. */
export interface Subject {
  readonly datapath?: {
    readonly memory: 'auto' | 'hugepages' | 'memfd'
    readonly memoryMiB: number
  }
  readonly lcores?: readonly {
    readonly name?: string | undefined
    readonly cpu?: number | undefined
    readonly idle?: 'spin' | 'adaptive' | undefined
  }[]
  readonly ports?: readonly SubjectPort[]
}

export interface SubjectPort {
  readonly name: string
  readonly type: 'dpdkvhostuserclient' | 'dpdkvhostuser' | 'dpdk'
  readonly path?: string | undefined
  readonly queues?: number | undefined
  readonly createFolder?: boolean | undefined
  readonly mode?: number | undefined
  readonly uid?: number | string | undefined
  readonly gid?: number | string | undefined
  readonly devargs?: string | undefined
}
