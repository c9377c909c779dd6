/**
 * One file on its way to the server. XMLHttpRequest, because only it tells how much has gone up.
 *
 * upload          the stored file; ApiError or NetworkError as `call` has them, AbortError when `signal` says stop
 */
import { ApiError, NetworkError } from './http';
import type { FileInfo, Id, Problem } from './types';

export interface Upload {
  file: File;
  workspaceId: Id;
  token: string | null;
  signal: AbortSignal;
  /** From 0 to 1. */
  onProgress: (done: number) => void;
}

export function upload({ file, workspaceId, token, signal, onProgress }: Upload): Promise<FileInfo> {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append('file', file, file.name);
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => request.abort());
    request.upload.onprogress = (event) => onProgress(event.total > 0 ? event.loaded / event.total : 0);
    request.onload = () =>
      request.status === 201 ? resolve(request.response as FileInfo) : reject(refusalOf(request));
    request.onerror = () => reject(new NetworkError('The file did not get there.'));
    request.onabort = () => reject(new DOMException('Cancelled.', 'AbortError'));
    request.open('POST', `/api/files?workspace_id=${workspaceId}`);
    request.responseType = 'json';
    if (token !== null) request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.send(form);
  });
}

function refusalOf(request: XMLHttpRequest): ApiError {
  const problem = (request.response ?? {}) as Partial<Problem>;
  return new ApiError(request.status, problem.code ?? 'internal', problem.detail ?? '', problem.errors ?? []);
}
