/* SPDX-License-Identifier: MIT */
import { matrix } from './matrix.mjs';

matrix('apache');
