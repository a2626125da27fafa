import { describe, expect, test } from 'vitest';
import { findHierarchies } from './hierarchies.ts';

const all = ['memory', 'cpu', 'pids'] as const;

const pure = {
  mountinfo: '29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n',
  own: '0::/system.slice/baton.service\n',
  unified: 'cpuset cpu io memory pids\n',
};
const old = {
  mountinfo: [
    '31 23 0:28 / /sys/fs/cgroup rw shared:9 - tmpfs tmpfs rw,mode=755',
    '32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct',
    '35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory',
    '39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids',
  ].join('\n'),
  own: '8:pids:/\n4:memory:/jobs/7\n2:cpu,cpuacct:/slow\n',
  unified: '',
};
const hybrid = {
  mountinfo: `${old.mountinfo}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
  own: `${old.own}0::/\n`,
  unified: 'hugetlb\n',
};
const container = {
  ...pure,
  mountinfo: '9 1 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n',
  own: '0::/docker/abc\n',
};

describe('findHierarchies', () => {
  test('takes version 2 for everything it can do', () => {
    expect(findHierarchies(pure, '/baton', all)).toEqual([
      { version: 2, base: '/sys/fs/cgroup/baton', controllers: ['memory', 'cpu', 'pids'] },
    ]);
  });

  test('takes a tree of version 1 for each controller, below the own cgroup', () => {
    expect(findHierarchies(old, 'runners', all)).toEqual([
      { version: 1, base: '/sys/fs/cgroup/memory/jobs/7/runners', controllers: ['memory'] },
      { version: 1, base: '/sys/fs/cgroup/cpu,cpuacct/slow/runners', controllers: ['cpu'] },
      { version: 1, base: '/sys/fs/cgroup/pids/runners', controllers: ['pids'] },
    ]);
  });

  test('takes both where both are mounted: version 2 also without any controller', () => {
    expect(findHierarchies(hybrid, '/baton', ['pids'])).toEqual([
      { version: 2, base: '/sys/fs/cgroup/unified/baton', controllers: [] },
      { version: 1, base: '/sys/fs/cgroup/pids/baton', controllers: ['pids'] },
    ]);
  });

  test('takes one tree to keep instances together when nothing is limited', () => {
    expect(findHierarchies(old, '/baton', [])).toEqual([
      { version: 1, base: '/sys/fs/cgroup/pids/baton', controllers: [] },
    ]);
  });

  test('finds its way in the part of a tree that a container sees', () => {
    const [found] = findHierarchies(container, 'runners', ['pids']);

    expect(found?.base).toBe('/sys/fs/cgroup/runners');
  });

  test('leaves out a controller that no tree has', () => {
    const without = { ...pure, unified: 'cpu\n' };

    expect(findHierarchies(without, '/baton', all)).toMatchObject([{ controllers: ['cpu'] }]);
    expect(findHierarchies({ mountinfo: '', own: '', unified: '' }, '/baton', all)).toEqual([]);
  });
});
