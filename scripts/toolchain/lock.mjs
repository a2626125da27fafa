import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolsFolder } from './paths.mjs';
import { say } from './say.mjs';

const lock = `${toolsFolder}/lock`;
const retryMs = 200;
/** No preparation takes longer; in a new container an old pid may be somebody else's. */
const longestMs = 15 * 60_000;

/** One launch at a time prepares this copy of the repository. The lock of a dead one is broken. */
export async function withLock(work) {
  mkdirSync(toolsFolder, { recursive: true });
  let hasSaid = false;
  while (!tryLock()) {
    if (!hasSaid) say('waiting for another launch of Baton to finish its preparation');
    hasSaid = true;
    await sleep(retryMs);
  }
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Links a file that holds our pid to the lock's name: at no time is there a lock without one. */
function tryLock() {
  const own = `${lock}-${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lock);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!isStale(lock)) return false;
    breakLock();
    return tryLock();
  } finally {
    rmSync(own, { force: true });
  }
}

/** Takes the stale lock away, and gives it back if in between it became somebody's. */
function breakLock() {
  const taken = `${lock}-broken-by-${process.pid}`;
  try {
    renameSync(lock, taken);
    if (!isStale(taken)) linkSync(taken, lock);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(taken, { force: true });
  }
}

function isStale(file) {
  try {
    const holder = Number(readFileSync(file, 'utf8'));
    return Date.now() - statSync(file).mtimeMs > longestMs || !isAlive(holder);
  } catch (error) {
    if (error.code === 'ENOENT') return false;
    throw error;
  }
}

function isAlive(pid) {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
