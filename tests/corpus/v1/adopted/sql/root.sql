begin
  truncate table STAGING;
  return 1;
end;
