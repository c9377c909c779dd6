/** What a menu offers. */
import type { IconName } from './icons';

export interface Action {
  label: string;
  icon: IconName;
  isDanger?: boolean;
  run: () => void;
}
