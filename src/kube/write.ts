// What the controller asks of the API server besides lists and watches, with every outcome as a value.
import type { KubeObject, Operation } from '../core/types.ts'

export type ObjectRef = {
  readonly apiVersion: string
  readonly kind: string
  /** Absent: cluster-scoped. */
  readonly namespace?: string
  readonly name: string
}

export type Written =
  | { readonly outcome: 'done'; readonly object: KubeObject }
  /** Somebody wrote in between: read again and decide again. */
  | { readonly outcome: 'conflict' }
  /** Of `create`: there is one of that name, and it may be anybody's. */
  | { readonly outcome: 'exists' }
  /** The object is not there. */
  | { readonly outcome: 'gone' }
  /** Its namespace is not there, or is being deleted: nothing is made in it, and what was in it goes by itself. */
  | { readonly outcome: 'nowhere' }
  /** The kind is not installed, in this version at least. */
  | { readonly outcome: 'absent' }
  /** Not as it is: by validation, a quota, a missing right, an admission. Trying again soon is no use. */
  | { readonly outcome: 'refused'; readonly status: number; readonly message: string }
  /** No answer, overloaded, an error of the server's, or "not yet". */
  | { readonly outcome: 'later'; readonly message: string; readonly afterMs?: number }

export type Writer = {
  get(ref: ObjectRef): Promise<Written>
  /** Server-side apply as `portcullis`, forced, unknown fields refused. What of it is somebody else's stays. */
  apply(object: KubeObject): Promise<Written>
  /** JSON Patch, only if the object is still in this version. `subresource`: such as `status`. */
  patch(ref: ObjectRef, version: string, operations: readonly Operation[], subresource?: string): Promise<Written>
  create(object: KubeObject): Promise<Written>
  /**
   * Only the object of this uid (another of its name: conflict), and only in this version where one is given. What
   * comes back has a `deletionTimestamp` if a finalizer holds it still; without one it is away.
   */
  remove(ref: ObjectRef, uid: string, version?: string): Promise<Written>
}
