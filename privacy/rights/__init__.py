"""People review, copy, correct and erase what is held about them: RIGHTS-1, RIGHTS-2, RIGHTS-3, RIGHTS-7, RIGHTS-8."""
